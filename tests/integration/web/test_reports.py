"""The daily reports, from a real S3 server."""

from __future__ import annotations

import time
from datetime import date
from functools import partial
from typing import TYPE_CHECKING

import pytest

from sparkify.web import app, reports
from sparkify.web.cache import Cache

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fastapi.testclient import TestClient

    from sandbox.lab import Lab
    from sparkify.s3 import S3Object

TODAY = date(2018, 11, 20)
HTML = "<!doctype html><title>A report</title><script>alert(1)</script>"


@pytest.fixture
def bucket(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> Lab:
    """A bucket that Airflow knows."""
    monkeypatch.setenv("AIRFLOW_VAR_SPARKIFY_BUCKET", lab.bucket)
    return lab


def put(bucket: Lab, *days: str) -> None:
    """Write the reports of days."""
    for day in days:
        bucket.put(f"reports/{day[:4]}/{day[5:7]}/{day}.html", HTML)


def test_the_latest_fourteen_are_listed(client: TestClient, bucket: Lab, token: str) -> None:
    put(bucket, "2016-03-01", *(f"2018-10-{day}" for day in range(10, 32)), "2018-11-01", "2018-11-02")
    for key in ("reports/2018/11/2018-11-03.txt", "reports/2018/2018-11-04.html", "reports/2018/11/index.html"):
        bucket.put(key, HTML)
    days = reports.latest(today=TODAY)["days"]
    assert days == ["2018-11-02", "2018-11-01", *(f"2018-10-{day}" for day in range(31, 19, -1))]
    assert client.get("/sparkify/api/reports").json() == reports.latest()


def test_a_report_that_was_written_just_now_is_listed_on_reload(client: TestClient, bucket: Lab) -> None:
    put(bucket, "2018-11-01")
    assert len(client.get("/sparkify/api/reports").json()["days"]) == 1
    put(bucket, "2018-11-02")
    assert len(client.get("/sparkify/api/reports").json()["days"]) == 1
    assert len(client.get("/sparkify/api/reports?reload=true").json()["days"]) == 2


def test_reports_of_long_ago_are_listed_with_a_bounded_number_of_requests(
    bucket: Lab, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sparkify.s3 import Bucket

    asked: list[str] = []
    objects = Bucket.objects

    def counted(self: Bucket, prefix: str) -> Iterator[S3Object]:
        asked.append(prefix)
        return objects(self, prefix)

    monkeypatch.setattr(Bucket, "objects", counted)
    put(bucket, "1990-01-01", "2012-03-01", "2016-03-01", "2016-03-02")
    assert reports.latest(today=TODAY)["days"] == ["2016-03-02", "2016-03-01", "2012-03-01"]
    assert asked == [f"reports/{year}/" for year in range(2018, 2018 - reports.YEARS, -1)]


def test_a_report_is_seen_and_does_nothing(client: TestClient, bucket: Lab) -> None:
    put(bucket, "2018-11-01")
    response = client.get("/sparkify/reports/2018-11-01")
    assert response.text == HTML
    assert response.headers["Content-Type"] == "text/html; charset=utf-8"
    policy = response.headers["Content-Security-Policy"].split("; ")
    assert {"sandbox", "default-src 'none'"} <= set(policy)
    assert response.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    ("day", "status"), [("2018-11-02", 404), ("yesterday", 422), ("2018-11-01.html", 422), ("..%2F2018-11-01", 404)]
)
def test_there_is_no_such_report(client: TestClient, bucket: Lab, day: str, status: int) -> None:
    put(bucket, "2018-11-01")
    assert client.get(f"/sparkify/reports/{day}").status_code == status


@pytest.mark.parametrize("path", ["/sparkify/api/reports", "/sparkify/reports/2018-11-01"])
def test_the_anonymous_get_no_report(anonymous: TestClient, bucket: Lab, token: str, path: str) -> None:
    put(bucket, "2018-11-01")
    assert anonymous.get(path).status_code == 401


@pytest.mark.parametrize("path", ["/sparkify/api/reports", "/sparkify/reports/2018-11-01"])
@pytest.mark.parametrize(
    ("missing", "message"),
    [
        ("AIRFLOW_VAR_SPARKIFY_BUCKET", "The Airflow Variable 'sparkify_bucket' does not exist. Create it"),
        (None, "S3 bucket 'no-such-bucket' does not exist"),
    ],
)
def test_what_is_missing_is_named(
    client: TestClient, bucket: Lab, monkeypatch: pytest.MonkeyPatch, path: str, missing: str | None, message: str
) -> None:
    if missing:
        monkeypatch.delenv(missing)
    else:
        monkeypatch.setenv("AIRFLOW_VAR_SPARKIFY_BUCKET", "no-such-bucket")
    response = client.get(path)
    assert response.status_code == 503
    assert message in response.json()["detail"]
    assert response.json()["kind"] == "reports"


@pytest.mark.parametrize("path", ["/sparkify/api/reports", "/sparkify/reports/2018-11-01"])
def test_s3_that_does_not_respond_is_not_waited_for(
    client: TestClient, bucket: Lab, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.setattr(app, "PATIENCE", 0.05)
    monkeypatch.setattr(app, "Cache", partial(Cache, patience=0.05))
    monkeypatch.setattr(reports, "_bucket", lambda: time.sleep(0.5))
    response = client.get(path)
    assert response.status_code == 503
    assert response.json()["detail"].startswith("S3 has not responded within 0.05 s.")
