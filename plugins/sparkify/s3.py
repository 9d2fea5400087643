"""The objects of S3, through the Airflow connection of type ``aws``."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from airflow.sdk.exceptions import AirflowException

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from obstore.store import S3Store


class StorageError(AirflowException):
    """S3 refused something; the message names the bucket and the remedy."""


class S3Object(NamedTuple):
    """An object as S3 lists it.

    :param key: its key.
    :param etag: changes with its content.
    :param size: bytes.
    """

    key: str
    etag: str
    size: int

    @property
    def is_folder(self) -> bool:
        """Whether it is the empty object with which consoles show a folder, rather than data."""
        return not self.size and self.key.endswith("/")


def store_opener(aws_conn_id: str | None) -> Callable[[str], S3Store]:
    """Return a function that opens a bucket by its name, with the connection's credentials, region and endpoint."""
    from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook

    from sparkify.warehouse.postgres.copy import store_factory

    hook: AwsBaseHook = AwsBaseHook(aws_conn_id=aws_conn_id, client_type="s3")
    return store_factory(hook.conn_config.get_service_endpoint_url("s3"), hook.region_name, hook.get_session())


class Bucket:
    """A bucket.

    :param name: its name.
    :param aws_conn_id: the Airflow connection to reach it with.
    """

    def __init__(self, name: str, aws_conn_id: str | None) -> None:
        self.name = name
        from sparkify.warehouse.postgres.copy import CopyError

        try:
            self._store = store_opener(aws_conn_id)(name)
        except CopyError as error:
            raise StorageError(str(error)) from None

    def objects(self, prefix: str) -> Iterator[S3Object]:
        """Yield the objects whose keys begin with ``prefix``, in the order of their keys.

        :raises StorageError: where the bucket does not exist or may not be listed.
        """
        from sparkify.warehouse.postgres.copy import CopyError, list_objects

        try:
            for item in list_objects(self._store, self.name, prefix):
                yield S3Object(item["path"], (item["e_tag"] or "").strip('"'), item["size"])
        except CopyError as error:
            raise StorageError(str(error)) from None

    def url(self, key: str) -> str:
        """Return the URL of an object."""
        return f"s3://{self.name}/{key}"

    def older(self, prefix: str, moment: datetime) -> list[str]:
        """Return the keys that begin with ``prefix`` and were last written before a moment.

        :raises StorageError: where the bucket does not exist or may not be listed.
        """
        from sparkify.warehouse.postgres.copy import CopyError, list_objects

        try:
            listed = list_objects(self._store, self.name, prefix)
            return [item["path"] for item in listed if item["last_modified"] < moment]
        except CopyError as error:
            raise StorageError(str(error)) from None

    def put(self, key: str, body: bytes, *, content_type: str | None = None) -> None:
        """Write an object.

        :param content_type: what a browser is told that it is.
        """
        self._store.put(key, body, attributes={"Content-Type": content_type} if content_type else None)

    def delete(self, keys: list[str]) -> None:
        """Delete objects; those that do not exist are passed over.

        :raises StorageError: if S3 refuses.
        """
        from sparkify.warehouse.postgres.copy.s3 import S3_ERRORS

        try:
            self._store.delete(keys)
        except S3_ERRORS as error:
            raise StorageError(
                f"S3 did not delete {self.url(keys[0])}: {type(error).__name__}. Check that the Airflow connection's "
                "credentials may delete there."
            ) from None
