"""S3 for COPY: opening buckets, listing a key prefix, and saying what went wrong without saying too much."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

import obstore
from obstore.auth.boto3 import Boto3CredentialProvider
from obstore.exceptions import BaseError
from obstore.store import S3Store

from sparkify.warehouse.postgres.copy.errors import CopyError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import boto3
    from obstore import ObjectMeta

    OpenStore = Callable[[str], S3Store]

# obstore raises Python's own exceptions for some failures; all the others derive from BaseError.
S3_ERRORS = (BaseError, OSError)


class S3Object(NamedTuple):
    """An object to load.

    :param size: its bytes according to the listing or the manifest; None where neither tells.
    :param mandatory: whether the COPY fails when it is missing.
    """

    bucket: str
    key: str
    size: int | None = None
    mandatory: bool = True

    @property
    def url(self) -> str:
        """Its ``s3://`` URL."""
        return f"s3://{self.bucket}/{self.key}"


def store_factory(endpoint_url: str | None, region: str | None, session: boto3.session.Session) -> OpenStore:
    """Return a function that opens a bucket with the credentials of a boto3 session.

    :param endpoint_url: the S3 endpoint, or None for AWS's own. An ``http://`` endpoint is accepted.
    :param region: the buckets' region; None takes the session's.
    :param session: such as ``AwsBaseHook.get_session()`` gives; its credentials are refreshed when they expire.
    :raises CopyError: when the session has no credentials.
    """
    try:
        credentials = Boto3CredentialProvider(session)
    except ValueError:
        raise CopyError(
            "No AWS credentials found. Remedy: give the Airflow connection `aws` a key or a role."
        ) from None
    options: dict[str, Any] = {"endpoint": endpoint_url} if endpoint_url else {}
    if region or session.region_name:
        options["region"] = region or session.region_name

    def open_store(bucket: str) -> S3Store:
        return S3Store(
            bucket,
            credential_provider=credentials,
            virtual_hosted_style_request=False,
            client_options={
                "allow_http": bool(endpoint_url and endpoint_url.startswith("http://")),
                "connect_timeout": "10s",
                "read_timeout": "60s",
                # Counts until the last byte is *taken*, and a large object is taken at the database's speed.
                "timeout": "12h",
            },
            retry_config={"max_retries": 5, "retry_timeout": timedelta(seconds=60)},
            **options,
        )

    return open_store


def list_objects(store: S3Store, bucket: str, prefix: str) -> Iterator[ObjectMeta]:
    """Yield the objects whose key begins with a prefix, as S3 lists them.

    COPY's prefix is a string: ``data/2018`` stands for ``data/2018-11.json`` and ``data/2018/11.json`` alike ("COPY
    from Amazon S3"). obstore lists whole folders, so the prefix's folder is listed and filtered.

    :raises CopyError: when the bucket cannot be listed.
    """
    folder = prefix.rpartition("/")[0]
    try:
        for page in obstore.list(store, folder or None, chunk_size=1000):
            yield from (meta for meta in page if meta["path"].startswith(prefix))
    except S3_ERRORS as error:
        raise explain(error, bucket, prefix) from None


def list_prefix(store: S3Store, bucket: str, prefix: str) -> list[S3Object]:
    """Return the objects whose key begins with a prefix, ordered by key.

    :raises CopyError: when there is none, or the bucket cannot be listed.
    """
    found = [S3Object(bucket, meta["path"], meta["size"]) for meta in list_objects(store, bucket, prefix)]
    if not found:
        raise CopyError(
            f"The specified S3 prefix '{prefix}' does not exist in bucket '{bucket}'. "
            "Remedy: correct the key in FROM; it is case-sensitive."
        )
    return sorted(found, key=lambda item: item.key)


def read_object(store: S3Store, bucket: str, key: str) -> bytes:
    """Return the content of a small object, such as a manifest.

    :raises CopyError: when it cannot be read.
    """
    try:
        return bytes(obstore.get(store, key).bytes())
    except S3_ERRORS as error:
        raise explain(error, bucket, key) from None


def explain(error: Exception, bucket: str, key: str) -> CopyError:
    """Return what an error of obstore means.

    Its own text is left out: it repeats the server's answer, which on a wrong key holds the signed request.
    """
    match = re.search(r"<Code>(\w+)</Code>", str(error))
    code = match[1] if match else ""
    url = f"s3://{bucket}/{key}"
    if code == "NoSuchBucket":
        return CopyError(f"S3 bucket '{bucket}' does not exist. Remedy: correct the bucket's name in {url}.")
    if isinstance(error, FileNotFoundError):
        return CopyError(f"{url} does not exist. Remedy: correct the key; it is case-sensitive.")
    refused = ("AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidToken")
    if code in refused or type(error).__name__ in ("PermissionDeniedError", "UnauthenticatedError"):
        return CopyError(
            f"S3 refused access to {url} ({code or 'access denied'}). "
            "Remedy: check the key or role of the Airflow connection `aws`: it needs List and Get on the bucket."
        )
    if code in ("PermanentRedirect", "AuthorizationHeaderMalformed") or "redirect" in str(error).lower():
        return CopyError(f"The bucket of {url} is in another region. Remedy: name it with REGION 'aws-region'.")
    # Without a code the text is the client's own, of what happened to the connection.
    reason = code or " ".join(str(error).partition("\n")[0].split())[:300] or type(error).__name__
    return CopyError(
        f"S3 could not read {url}: {reason}. "
        "Remedy: check that the endpoint is reachable, then run the COPY again: nothing was loaded."
    )
