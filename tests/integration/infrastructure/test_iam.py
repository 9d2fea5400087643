"""Connections with the extra ``iam`` request a temporary password with the credentials of ``aws``."""

from __future__ import annotations

import json
import logging
import socket
from typing import TYPE_CHECKING, Any

import pytest
import redshift_connector

from sandbox.aws import address, namespaces, workgroups
from sparkify.warehouse import WarehouseError, connect
from sparkify.warehouse.redshift import CLIENT

if TYPE_CHECKING:
    from tests.integration.infrastructure.conftest import Cloud


@pytest.fixture
def connected(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Record the arguments of ``redshift_connector.connect`` instead of connecting."""
    calls: list[dict[str, Any]] = []

    class Connected:
        """A connection without queries."""

        autocommit = False
        _usock = socket.socket()

        def close(self) -> None:
            pass

    def record(**arguments: Any) -> Connected:
        calls.append({name: value for name, value in arguments.items() if name not in CLIENT})
        return Connected()

    monkeypatch.setattr(redshift_connector, "connect", record)
    return calls


def define(monkeypatch: pytest.MonkeyPatch, **fields: Any) -> None:
    """Define the connection ``redshift``."""
    monkeypatch.setenv("AIRFLOW_CONN_REDSHIFT", json.dumps({"conn_type": "redshift", "schema": "dev", **fields}))


@pytest.mark.parametrize("host", [None, "music.example.com"])
def test_a_cluster_issues_a_temporary_password(
    cloud: Cloud, connected: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch, host: str | None
) -> None:
    cluster = cloud.client("redshift").create_cluster(
        ClusterIdentifier="music", NodeType="ra3.large", MasterUsername="ana", MasterUserPassword="Not-used-here-1"
    )["Cluster"]
    extra = {"iam": True, "cluster_identifier": "music", "sslmode": "verify-full"}
    define(monkeypatch, host=host, login="ana", extra=extra)
    with connect("redshift", "aws"):
        pass
    (call,) = connected
    assert len(call.pop("password")) == 32
    assert call == {
        "user": "IAM:ana",  # as GetClusterCredentials returns it
        "host": host or cluster["Endpoint"]["Address"],
        "port": 5439,
        "database": "dev",
        "sslmode": "verify-full",  # other extras are passed on
    }


@pytest.mark.parametrize("host", [None, "music.example.com"])
def test_serverless_issues_a_temporary_password(
    cloud: Cloud,
    connected: list[dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    host: str | None,
) -> None:
    namespaces.add("music")
    workgroups["music"] = {"BaseCapacity": "8", "MaxCapacity": "8"}
    extra = {
        "iam": True,
        "is_serverless": True,
        "serverless_work_group": "music",
        "serverless_token_duration_seconds": 900,
    }
    define(monkeypatch, host=host, port=5440, extra=extra)
    with caplog.at_level(logging.DEBUG), connect("redshift", "aws") as warehouse:
        assert warehouse.secrets.redact("only-for-an-hour") == "***"
    assert "botocore" in caplog.text
    assert "only-for-an-hour" not in caplog.text
    credentials = ("GetCredentials", {"dbName": "dev", "workgroupName": "music", "durationSeconds": 900})
    lookup = ("GetWorkgroup", {"workgroupName": "music"})
    assert cloud.serverless.requests == ([credentials] if host else [credentials, lookup])
    assert connected == [
        {
            "user": "IAMR:airflow",
            "password": "only-for-an-hour",
            "host": host or address("music"),
            "port": 5440,
            "database": "dev",
        }
    ]


def test_a_rejected_request_for_a_password_is_reported(
    cloud: Cloud, connected: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    define(monkeypatch, login="ana", extra={"iam": True, "cluster_identifier": "absent"})
    remedy = r"issued no temporary password: .*absent.* Check the credentials"
    with pytest.raises(WarehouseError, match=remedy), connect("redshift", "aws"):
        pytest.fail("connected")
    assert connected == []


def test_an_explicit_password_is_used(
    cloud: Cloud, connected: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    define(monkeypatch, host="music.example.com", login="ana", password="mine", port=5439)
    with connect("redshift", "aws"):
        pass
    assert connected == [
        {"user": "ana", "password": "mine", "host": "music.example.com", "port": 5439, "database": "dev"}
    ]
    assert cloud.serverless.requests == []
