"""The sources of COPY: key prefixes, manifests, and errors of S3."""

from __future__ import annotations

import json
import socket
import threading
from contextlib import closing, contextmanager, nullcontext, suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import boto3
import obstore
import psycopg
import pytest
from obstore.exceptions import PermissionDeniedError
from obstore.store import S3Store

from sandbox import servers
from sparkify.s3 import S3Error, S3Object, stores
from sparkify.warehouse import CopyFailedError
from sparkify.warehouse.postgres.copy import fetch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conftest import Loader

KEYS = ["data", "data.bak", "data/1.json", "data/2018/11.json", "data/2018-11.json", "data_2/1.json", "Data", "other"]


@pytest.fixture
def keys(loader: Loader) -> Loader:
    """A table, and an object for each of KEYS that holds its own key; ``data`` cannot be file and folder at once."""
    loader.table("key varchar(50)")
    for key in KEYS[1:]:
        loader.put_lines(key, {"key": key})
    return loader


# "COPY from Amazon S3": the key prefix custfolder refers to custfolder, custfolder_1, custfolder.txt ...
@pytest.mark.parametrize(
    "prefix",
    ["data", "data/", "data/2018", "data/2018/", "data/2018-11.json", "data_", "d", "", "D", "data/2018-11.jso"],
)
def test_a_prefix_matches_any_key_that_begins_with_it(keys: Loader, prefix: str):
    expected = sorted(key for key in KEYS[1:] if key.startswith(prefix))
    keys.copy(prefix)
    assert [row[0] for row in keys.rows()] == expected


@pytest.mark.parametrize("prefix", ["nothing", "data/x", "DATA", "data/1.json/"])
def test_a_prefix_without_objects(keys: Loader, prefix: str):
    with pytest.raises(
        CopyFailedError, match=f"The specified S3 prefix '{prefix}' does not exist in bucket '{keys.bucket}'"
    ):
        keys.copy(prefix)


def test_odd_keys(loader: Loader):
    loader.table("a int")
    for number, key in enumerate(["a b.json", "a+b%20é.json", "a'b.json", "a#b?c.json"]):
        loader.put_lines(key, {"a": number})
    loader.copy("a")
    assert loader.rows() == [(0,), (1,), (2,), (3,)]


@pytest.mark.parametrize("content", ["", "\n", "  \r\n\t\n\n"])
def test_files_without_records(loader: Loader, content: str):
    loader.table("a int")
    loader.put("data", content)
    result = loader.copy("data")
    assert (result.rows, result.rejected) == (0, 0)


def test_missing_bucket(loader: Loader):
    loader.table("a int")
    with pytest.raises(
        CopyFailedError, match=r"S3 bucket 'no-such-bucket' does not exist. Remedy: correct the bucket's name"
    ):
        loader.copy("s3://no-such-bucket/key")


@pytest.mark.parametrize("manifest", ["", "MANIFEST"])
@pytest.mark.parametrize(("key", "secret"), [(servers.ACCESS_KEY, "wrong-secret"), ("AKIAUNKNOWN", servers.SECRET_KEY)])
def test_an_error_about_credentials_does_not_contain_them(loader: Loader, key: str, secret: str, manifest: str):
    loader.table("a int")
    loader.put_lines("data", {"a": 1})
    opened = stores(loader.endpoint, None, loader.session(key, secret))
    with pytest.raises(
        CopyFailedError, match=f"S3 refused access to s3://{loader.bucket}/data .*Airflow connection"
    ) as failure:
        loader.copy("data", manifest, open_store=opened)
    shown = f"{failure.value} {failure.value.__cause__}"
    assert key not in shown
    assert secret not in shown


def test_a_session_without_credentials(loader: Loader, monkeypatch: pytest.MonkeyPatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    with pytest.raises(S3Error, match="No AWS credentials found"):
        stores(loader.endpoint, None, boto3.Session())


def test_an_unreachable_endpoint(loader: Loader):
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        endpoint = f"http://127.0.0.1:{free.getsockname()[1]}"

    def opened(bucket: str) -> S3Store:
        return S3Store(
            bucket, endpoint=endpoint, region="us-west-2", access_key_id="a", secret_access_key="b",
            client_options={"allow_http": True}, retry_config={"max_retries": 0},
        )  # fmt: skip

    loader.table("a int")
    with pytest.raises(CopyFailedError, match=r"S3 could not list s3://bucket/key: .* endpoint is reachable"):
        loader.copy("s3://bucket/key", open_store=opened)


def test_manifest_over_several_buckets(loader: Loader):
    loader.table("a int")
    other = loader.new_bucket()
    loader.put_manifest(
        "m",
        {"url": loader.put_lines("x/2", {"a": 2}), "mandatory": True},
        {"url": loader.put("x/1", json.dumps({"a": 1}), other), "mandatory": True, "meta": {"content_length": 8}},
        {"url": f"s3://{loader.bucket}/missing", "mandatory": False},
        {"url": f"s3://{loader.bucket}/missing-too"},  # mandatory is false by default
        {"url": f"s3://{loader.bucket}/x/2"},  # "If a file is listed twice, the file is loaded twice."
    )
    result = loader.copy("m", "MANIFEST")
    assert loader.rows() == [(1,), (2,), (2,)]
    assert result.rows == 3


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"entries": [', "is not a properly formed manifest"),
        ("[]", "is not a properly formed manifest"),
        ("{}", "is not a properly formed manifest: Object missing required field `entries`"),
        ('{"entries": [{"mandatory": true}]}', "missing required field `url`"),
        ('{"entries": [{"url": "s3://b/k", "mandatory": "yes"}]}', "Expected `bool`, got `str`"),
        ('{"entries": [{"url": "/b/k"}]}', r"entries\[0\].url must be the URL of an object"),
        ('{"entries": [{"url": "s3://b/"}]}', r"entries\[0\].url must be the URL of an object"),
        ('{"entries": []}', "none of the files in the manifest exists"),
        ('{"entries": [{"url": "s3://BUCKET/none"}]}', "none of the files in the manifest exists"),
        ('{"entries": [{"url": "s3://BUCKET/none", "mandatory": true}]}', "s3://BUCKET/none does not exist"),
        ('{"entries": [{"url": "s3://no-such-bucket/x"}]}', "bucket 'no-such-bucket' does not exist"),
    ],
)
def test_an_invalid_manifest(loader: Loader, content: str, message: str):
    loader.table("a int")
    loader.put("m", content.replace("BUCKET", loader.bucket))
    with pytest.raises(CopyFailedError, match=message.replace("BUCKET", loader.bucket)):
        loader.copy("m", "MANIFEST")


def test_a_missing_mandatory_file_fails_the_copy(loader: Loader):
    loader.table("a int")
    missing = {"url": f"s3://{loader.bucket}/missing", "mandatory": True}
    loader.put_manifest("m", {"url": loader.put_lines("x", {"a": 1}), "mandatory": True}, missing)
    with pytest.raises(CopyFailedError, match=f"s3://{loader.bucket}/missing does not exist"):
        loader.copy("m", "MANIFEST")
    assert loader.rows() == []


def test_missing_manifest(loader: Loader):
    loader.table("a int")
    with pytest.raises(CopyFailedError, match=f"s3://{loader.bucket}/m does not exist"):
        loader.copy("m", "MANIFEST")


def test_without_manifest_the_file_is_data(loader: Loader):
    loader.table("entries varchar(99)")
    loader.put_manifest("m", {"url": "s3://b/k"})
    loader.copy("m")
    assert loader.rows() == [('[{"url": "s3://b/k"}]',)]


def test_many_objects_arrive_in_the_order_of_their_keys(loader: Loader):
    loader.table("n int GENERATED ALWAYS AS IDENTITY, key varchar(9), size int")
    sizes = {f"k/{number:03}": (number * 7919) % 1000 for number in range(150)}
    sizes["k/070"] = 900_000  # one that is fetched in pieces
    for key, size in reversed(sizes.items()):
        loader.put(key, json.dumps({"key": key, "size": size}) + " " * size)
    loader.copy("k/")
    assert [row[1:] for row in loader.rows()] == sorted(sizes.items())
    loader.put_manifest("m", *({"url": f"s3://{loader.bucket}/{key}", "mandatory": True} for key in sizes))
    assert loader.copy("m", "MANIFEST", table="t (key, size)").rows == 150


def test_an_object_is_as_long_as_its_manifest_says(loader: Loader):
    """UNLOAD writes "the actual size of the file in bytes"; with another size it is another file."""
    loader.table("a int")
    url = loader.put("data", '{"a": 1}')
    loader.put_manifest("m", {"url": url, "mandatory": True, "meta": {"content_length": 9}})
    with pytest.raises(CopyFailedError, match=f"{url}: expected 9 bytes, got 8"):
        loader.copy("m", "MANIFEST")


@pytest.mark.parametrize(
    ("sizes", "portions"),
    [
        ([100] * 1000, {fetch.PORTION}),  # many small objects share a portion
        ([100] * 20, {1}),  # a few objects are fetched concurrently
        ([None] * 1000, {1}),  # the memory for objects of unknown size is unknown
        ([fetch.SMALL // 4] * 1000, {4}),  # the size of a portion is bounded
        ([fetch.SMALL + 1] * 1000, {1}),
    ],
)
def test_objects_are_fetched_in_portions_of_a_bounded_size(sizes: list[int | None], portions: set[int]):
    objects = [S3Object("bucket", str(number), size) for number, size in enumerate(sizes)]
    cut = list(fetch._portions(objects))
    assert [item for portion in cut for item in portion] == objects
    assert {len(portion) for portion in cut[:-1]} == portions


@contextmanager
def cutting(endpoint: str, after: int) -> Iterator[str]:
    """Run a server that passes requests on, and closes each connection once ``after`` bytes have come back."""
    upstream = urlsplit(endpoint)

    def serve(client: socket.socket) -> None:
        with client, socket.create_connection((upstream.hostname or "", upstream.port or 0)) as server:
            threading.Thread(target=_quietly, args=(_forward, client, server), daemon=True).start()
            left = after
            while left > 0 and (data := server.recv(min(65536, left))):
                client.sendall(data)
                left -= len(data)
            cut.append(left)
            client.shutdown(socket.SHUT_RDWR)

    def accept() -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=_quietly, args=(serve, client), daemon=True).start()

    cut: list[int] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=accept, daemon=True).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)
    assert 0 in cut, "no connection was cut: the test would prove nothing"


def _forward(source: socket.socket, target: socket.socket) -> None:
    while data := source.recv(65536):
        target.sendall(data)


def _quietly(function: Callable[..., None], *arguments: socket.socket) -> None:
    with suppress(OSError):
        function(*arguments)


@pytest.mark.parametrize("size", [20_000, 3_000_000], ids=["whole", "in pieces"])
@pytest.mark.parametrize("manifest", [pytest.param(True, marks=pytest.mark.slow), False])
def test_a_body_cut_in_the_middle_loads_nothing(loader: Loader, size: int, manifest: bool):
    """Every attempt is cut, including the retries of the client."""
    loader.table("a int")
    line = b'{"a": 1}\n'
    url = loader.put("data/x", line * (size // len(line)))
    loader.put_manifest("m", {"url": url, "mandatory": True})
    with cutting(loader.endpoint, size // 2) as endpoint:

        def opened(bucket: str) -> S3Store:
            return S3Store(
                bucket, endpoint=endpoint, region=servers.REGION, access_key_id=servers.ACCESS_KEY,
                secret_access_key=servers.SECRET_KEY, client_options={"allow_http": True},
                retry_config={"max_retries": 1},
            )  # fmt: skip

        with pytest.raises(CopyFailedError, match=r"S3 could not read|expected \d+ bytes, got") as failure:
            loader.copy("m" if manifest else "data", "MANIFEST" if manifest else "", open_store=opened)
        assert url in str(failure.value)
    assert loader.rows() == []


@pytest.mark.parametrize(
    ("error", "requests"),
    [(OSError("broken off"), 3), (FileNotFoundError("NoSuchKey"), 1), (PermissionDeniedError("denied"), 1)],
)
def test_transient_errors_are_retried(loader: Loader, monkeypatch: pytest.MonkeyPatch, error: Exception, requests: int):
    loader.table("a int")
    url = loader.put("data", '{"a": 1}')
    loader.put_manifest("m", {"url": url, "mandatory": True})
    asked = []
    original = obstore.get

    def get(store: S3Store, key: str) -> Any:
        asked.extend([key] if key == "data" else [])
        if key == "data" and len(asked) < 3:
            raise error
        return original(store, key)

    monkeypatch.setattr(obstore, "get", get)
    with nullcontext() if requests == 3 else pytest.raises(CopyFailedError):
        loader.copy("m", "MANIFEST")
    assert len(asked) == requests


@pytest.mark.parametrize("lines", [1, 100_000], ids=["whole", "in pieces"])
def test_an_object_replaced_since_it_was_listed(loader: Loader, monkeypatch: pytest.MonkeyPatch, lines: int):
    loader.table("a int")
    line = '{"a": 1}\n'
    url = loader.put("data", line * lines)
    original = fetch.Fetcher.read

    def replaced(self, objects):
        loader.put("data", line * (lines + 1))
        return original(self, objects)

    monkeypatch.setattr(fetch.Fetcher, "read", replaced)
    sizes = f"expected {9 * lines} bytes, got {9 * lines + 9}"
    with pytest.raises(CopyFailedError, match=f"{url}: {sizes}: .* the object was replaced"):
        loader.copy("data")
    assert loader.rows() == []


def test_the_session_is_usable_after_every_failure(loader: Loader):
    loader.table("a int")
    with psycopg.connect(loader.uri) as session:
        for source in ("nothing", "s3://no-such-bucket/x"):
            with pytest.raises(CopyFailedError):
                loader.copy(source, connection=session)
        assert session.execute("SELECT count(*) FROM t").fetchone() == (0,)
