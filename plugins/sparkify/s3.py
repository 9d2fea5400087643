"""Amazon S3: list, read, write and delete objects, through the Airflow connection of type ``aws``.

A key prefix is a plain string, as in S3: ``data/2018`` matches ``data/2018-11.json`` and ``data/2018/11.json`` alike.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from datetime import timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

import obstore
from airflow.sdk.exceptions import AirflowException
from obstore.auth.boto3 import Boto3CredentialProvider
from obstore.exceptions import BaseError
from obstore.store import S3Store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime
    from typing import Protocol

    import boto3
    from obstore import ObjectMeta

    OpenStore = Callable[[str], S3Store]

    class OpenStoreWithHeaders(Protocol):
        """Opens a bucket by name; its requests have the headers."""

        def __call__(self, bucket: str, headers: Mapping[str, str] = ...) -> S3Store: ...


# obstore raises built-in exceptions for some errors; all others derive from BaseError.
ERRORS = (BaseError, OSError)
_REFUSED = ("AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidToken")


class S3Error(AirflowException):
    """S3 rejected a request or is unreachable; the message has the object and the remedy.

    :param terminal: whether a retry would fail again. Credentials expire and are replaced, and new permissions take
        some time to apply: by default a retry may succeed.
    """

    def __init__(self, message: str, *, terminal: bool = False) -> None:
        super().__init__(message)
        self.terminal = terminal


class S3Object(NamedTuple):
    """An object as a listing or a manifest describes it.

    :param size: bytes; None if unknown.
    :param etag: changes with the content; None if unknown.
    """

    bucket: str
    key: str
    size: int | None = None
    etag: str | None = None

    @property
    def url(self) -> str:
        """Its ``s3://`` URL."""
        return f"s3://{self.bucket}/{self.key}"

    @property
    def is_folder(self) -> bool:
        """Whether it is the empty object that consoles create for a folder."""
        return not self.size and self.key.endswith("/")


class Bucket:
    """A bucket.

    :param name: its name.
    :param aws_conn_id: the Airflow connection of type ``aws``.
    :raises S3Error: if the connection has no credentials.
    """

    def __init__(self, name: str, aws_conn_id: str | None) -> None:
        self.name = name
        self._open = stores_of(aws_conn_id)
        self._store = self._open(name)
        self._of_range: dict[str, S3Store] = {}

    def objects(self, prefix: str) -> Iterator[S3Object]:
        """Yield the objects whose keys begin with ``prefix``, in the order of their keys.

        :raises S3Error: if the bucket does not exist or cannot be listed.
        """
        return list_objects(self._store, self.name, prefix)

    def url(self, key: str) -> str:
        """Return the URL of an object, or of a key prefix."""
        return f"s3://{self.name}/{key}"

    def older(self, prefix: str, moment: datetime) -> list[str]:
        """Return the keys that begin with ``prefix`` and were last modified before a moment.

        :raises S3Error: if the bucket does not exist or cannot be listed.
        """
        return [meta["path"] for meta in _listing(self._store, self.name, prefix) if meta["last_modified"] < moment]

    def read_part(self, item: S3Object, part: str | None) -> tuple[bytes, datetime] | None:
        """Return a part of an object, and when the object was last modified (aware).

        :param item: the object, as it was listed.
        :param part: the part, as in the header Range: ``bytes=0-99`` or ``bytes=-100``; None for the whole object.
        :return: None if the object has changed since it was listed.
        :raises S3Error: if it cannot be read.
        """
        with _explained(self.name, item.key, "read", "Get"):
            try:
                found = obstore.get(self._store_of_range(part) if part else self._store, item.key)
            except FileNotFoundError:
                return None
            except ERRORS as error:
                if "<Code>InvalidRange</Code>" in str(error):
                    return None
                raise
            if (found.meta["e_tag"] or "").strip('"') != item.etag:
                return None
            return bytes(found.bytes()), found.meta["last_modified"]

    def _store_of_range(self, part: str) -> S3Store:
        """Open the bucket for requests of a range.

        obstore's own option for ranges refuses responses with status 200, which rclone sends (206 is expected).
        """
        if part not in self._of_range:
            self._of_range[part] = self._open(self.name, {"Range": part})
        return self._of_range[part]

    def put(self, key: str, body: bytes, *, content_type: str | None = None) -> None:
        """Write an object.

        :param content_type: its media type, for browsers.
        :raises S3Error: if it cannot be written.
        """
        with _explained(self.name, key, "write", "Put"):
            self._store.put(key, body, attributes={"Content-Type": content_type} if content_type else None)

    def delete(self, keys: list[str]) -> None:
        """Delete objects; missing ones are ignored.

        :raises S3Error: if one cannot be deleted.
        """
        with _explained(self.name, keys[0] if keys else "", "delete", "Delete"):
            self._store.delete(keys)


def stores_of(aws_conn_id: str | None) -> OpenStoreWithHeaders:
    """Return a function that opens a bucket by name, with an Airflow connection's credentials, region and endpoint.

    :raises S3Error: if the connection has no credentials.
    """
    from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook

    hook: AwsBaseHook = AwsBaseHook(aws_conn_id=aws_conn_id, client_type="s3")
    return stores(hook.conn_config.get_service_endpoint_url("s3"), hook.region_name, hook.get_session())


def stores(endpoint_url: str | None, region: str | None, session: boto3.session.Session) -> OpenStoreWithHeaders:
    """Return a function that opens a bucket by name, with the credentials of a boto3 session.

    :param endpoint_url: the S3 endpoint; None for AWS's own. An ``http://`` endpoint is accepted.
    :param region: the buckets' region; None for the session's.
    :param session: its credentials are refreshed when they expire.
    :raises S3Error: if the session has no credentials.
    """
    try:
        credentials = Boto3CredentialProvider(session)
    except ValueError:
        raise S3Error("No AWS credentials found. Remedy: give the Airflow connection `aws` a key or a role.") from None
    options: dict[str, Any] = {"endpoint": endpoint_url} if endpoint_url else {}
    if region or session.region_name:
        options["region"] = region or session.region_name

    def open_store(bucket: str, headers: Mapping[str, str] = MappingProxyType({})) -> S3Store:
        return S3Store(
            bucket,
            credential_provider=credentials,
            virtual_hosted_style_request=False,
            client_options={
                "allow_http": bool(endpoint_url and endpoint_url.startswith("http://")),
                "connect_timeout": "10s",
                "read_timeout": "60s",
                # The time until the last byte is consumed, at the speed of the database.
                "timeout": "12h",
                "default_headers": dict(headers),
            },
            retry_config={"max_retries": 5, "retry_timeout": timedelta(seconds=60)},
            **options,
        )

    return open_store


def list_objects(store: S3Store, bucket: str, prefix: str) -> Iterator[S3Object]:
    """Yield the objects whose keys begin with a prefix, in the order of their keys.

    :raises S3Error: if the bucket cannot be listed.
    """
    for meta in _listing(store, bucket, prefix):
        yield S3Object(bucket, meta["path"], meta["size"], (meta["e_tag"] or "").strip('"'))


def _listing(store: S3Store, bucket: str, prefix: str) -> Iterator[ObjectMeta]:
    """Yield the metadata of each object. obstore lists folders, so the folder of the prefix is listed and filtered."""
    folder = prefix.rpartition("/")[0]
    with _explained(bucket, prefix, "list", "List"):
        for page in obstore.list(store, folder or None, chunk_size=1000):
            yield from (meta for meta in page if meta["path"].startswith(prefix))


def read_object(store: S3Store, bucket: str, key: str) -> bytes:
    """Return the content of a small object, such as a manifest.

    :raises S3Error: if it cannot be read.
    """
    with _explained(bucket, key, "read", "Get"):
        return bytes(obstore.get(store, key).bytes())


def explain(error: Exception, bucket: str, key: str, action: str = "read", permission: str = "Get") -> S3Error:
    """Return the error for an exception of obstore.

    The message omits the exception's text: for a wrong access key the server's response contains the signed request.

    :param action: the attempted action, a verb.
    :param permission: the required permission.
    """
    match = re.search(r"<Code>(\w+)</Code>", str(error))
    code = match[1] if match else ""
    url = f"s3://{bucket}/{key}"
    if code == "NoSuchBucket":
        return S3Error(
            f"S3 bucket '{bucket}' does not exist. Remedy: correct the bucket's name in {url}.", terminal=True
        )
    if isinstance(error, FileNotFoundError):
        return S3Error(f"{url} does not exist. Remedy: correct the key; it is case-sensitive.")
    if code in _REFUSED or type(error).__name__ in ("PermissionDeniedError", "UnauthenticatedError"):
        return S3Error(
            f"S3 refused access to {url} ({code or 'access denied'}). Remedy: check the key or role of the Airflow "
            f"connection `aws`: it needs {permission} on the bucket to {action} it."
        )
    if code in ("PermanentRedirect", "AuthorizationHeaderMalformed") or "redirect" in str(error).lower():
        return S3Error(
            f"The bucket of {url} is in another region. Remedy: set region_name in the extra field of the Airflow "
            "connection `aws`.",
            terminal=True,
        )
    # Without a code the exception is about the connection, and its text is the client's.
    reason = code or " ".join(str(error).partition("\n")[0].split())[:300] or type(error).__name__
    return S3Error(
        f"S3 could not {action} {url}: {reason}. Remedy: check that the endpoint is reachable, then retry: "
        "retrying is safe."
    )


@contextmanager
def _explained(bucket: str, key: str, action: str, permission: str) -> Iterator[None]:
    try:
        yield
    except ERRORS as error:
        raise explain(error, bucket, key, action, permission) from None
