"""Airflow's API rejects JSON that its other components cannot read."""

from __future__ import annotations

import json
from typing import Any

import pytest
from fastapi import FastAPI, Request
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st

from sparkify.web.readable import DEPTH, unreadable
from sparkify_page import readable_json

values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63) + 1, 2**63 - 1) | st.floats(-1e18, 1e18) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)


def nested(levels: int) -> Any:
    value: Any = 1
    for number in range(levels):
        value = [value] if number % 2 else {"a": value}
    return value


@given(values)
def test_readable_json_is_accepted(value: Any) -> None:
    assert unreadable(json.dumps(value).encode()) is None


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"not JSON", b"9" * 5_000])
def test_invalid_json_is_left_to_airflow(body: bytes) -> None:
    assert unreadable(body) is None


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (10**20, "contains a number that needs more than 64 bits"),
        ({"conf": {"max_errors": 2**63}}, "contains a number that needs more than 64 bits"),
        ({"conf": [[-(2**63) - 1]]}, "contains a number that needs more than 64 bits"),
        ({"conf": {"a": -1e300}}, "contains a number that needs more than 64 bits"),
        ({"conf": {"a": "\ud800"}}, "contains text that is not Unicode"),
        ({"conf": {"\udfff": 1}}, "contains text that is not Unicode"),
        (nested(DEPTH + 1), f"nested more than {DEPTH} levels"),
    ],
)
def test_unreadable_json_is_rejected(value: Any, reason: str) -> None:
    assert reason in (unreadable(json.dumps(value).encode()) or "")


def test_the_deepest_document() -> None:
    assert unreadable(json.dumps(nested(DEPTH)).encode()) is None
    assert "levels" in (unreadable(b"[" * 100_000 + b"]" * 100_000) or "")


def test_requests_are_rejected_or_passed_on_unchanged() -> None:
    app = FastAPI()

    @app.api_route("/api/v2/dags/x/dagRuns", methods=["POST", "PATCH"])
    @app.post("/execution/x")
    async def echo(request: Request) -> Any:
        return await request.json()

    app.add_middleware(readable_json)
    client = TestClient(app)
    big = json.dumps({"conf": {"x": 10**20}})
    for method in ("POST", "PATCH"):
        answer = client.request(method, "/api/v2/dags/x/dagRuns", content=big)
        assert (answer.status_code, answer.json()["detail"]) == (
            422,
            "Invalid JSON: it contains a number that needs more than 64 bits.",
        )
        fine = {"conf": {"x": "y" * 3_000_000}}
        assert client.request(method, "/api/v2/dags/x/dagRuns", json=fine).json() == fine
    assert client.post("/execution/x", content=big).json() == json.loads(big)
