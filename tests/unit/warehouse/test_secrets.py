"""Errors and logs of a session contain none of its secrets, in any form."""

from __future__ import annotations

import json
import logging
import traceback
from typing import Any

import psycopg
import pytest
import redshift_connector

from sparkify.warehouse import CopyFailedError, CopyResult, RejectedRow
from sparkify.warehouse.secrets import Secrets

SECRET = 'it\'s/a \\ "MARKED"+é'


@pytest.fixture
def secrets() -> Secrets:
    secrets = Secrets()
    secrets.add(SECRET, None, "")
    return secrets


def everything(error: BaseException | None) -> str:
    """Return all text of an exception, its causes and its contexts."""
    if error is None:
        return ""
    hidden = everything(error.__cause__) + everything(error.__context__)
    return "".join(traceback.format_exception(error)) + repr(error) + repr(vars(error)) + hidden


@pytest.mark.parametrize("form", [str, repr, json.dumps, lambda text: text.replace("'", "''")])
def test_a_secret_in_any_form(secrets: Secrets, form: Any) -> None:
    redacted = secrets.redact(f"before {form(SECRET)} after")
    assert "MARKED" not in redacted
    assert "***" in redacted
    assert redacted.startswith("before ")
    assert redacted.endswith(" after")


def test_a_short_word_is_not_redacted(secrets: Secrets) -> None:
    secrets.add("copy")
    assert secrets.redact("copy songs") == "copy songs"


@pytest.mark.parametrize(
    "command",
    [
        "COPY t FROM 's3://b/k' CREDENTIALS 'aws_access_key_id=AKIA;aws_secret_access_key=SeCrEt;token=SeCrEt' GZIP",
        "COPY t FROM 's3://b/k' credentials as 'aws_access_key_id=AKIA;aws_secret_access_key=SeCrEt' GZIP",
        "COPY t FROM 's3://b/k' ACCESS_KEY_ID 'AKIA' SECRET_ACCESS_KEY 'SeCrEt' SESSION_TOKEN 'SeCrEt' GZIP",
        "CREATE USER ana PASSWORD 'SeCr''Et' CREATEDB",
        "COPY t FROM 's3://b/k' CREDENTIALS 'aws_access_key_id=AKIA;aws_secret_access_key=SeCr",
        "...ess_key_id=AKIA;aws_secret_access_key=SeCrEt;token=SeCrEt' GZIP",
    ],
)
def test_clauses_with_secrets_that_the_session_does_not_know(secrets: Secrets, command: str) -> None:
    redacted = secrets.redact(f"syntax error: {command}")
    assert "SeCr" not in redacted
    assert redacted.startswith("syntax error: " + command[:13])
    assert redacted.endswith(command[-5:]) or command.endswith("SeCr")


def test_data_is_not_redacted(secrets: Secrets) -> None:
    """A rejected row must be found in its file."""
    row = RejectedRow("file", 1, "column", 1207, "reason", f"{{{SECRET}}}", SECRET)
    assert secrets.redact(row) == row


def test_containers_keep_their_types(secrets: Secrets) -> None:
    row = RejectedRow("file", 1, "column", 1207, f"reason {SECRET}", "data")
    assert secrets.redact(CopyResult(1, 1, [row])) == CopyResult(
        1, 1, [RejectedRow("file", 1, "column", 1207, "reason ***", "data")]
    )
    assert secrets.redact({"a": [SECRET, 1], "b": ({SECRET}, None)}) == {"a": ["***", 1], "b": ({"***"}, None)}
    assert secrets.redact(f"{SECRET}\xff".encode()) == "***\xff".encode()


@pytest.mark.parametrize(
    "error",
    [
        ValueError(SECRET),
        psycopg.errors.SyntaxError(f"near {SECRET}"),
        redshift_connector.ProgrammingError({"M": f"near {SECRET}", "D": SECRET, "W": SECRET}),
        redshift_connector.InterfaceError("communication error", ConnectionError(SECRET)),
        CopyFailedError(SECRET, [RejectedRow("file", 1, "column", 1207, SECRET)]),
        ExceptionGroup("several", [ValueError(SECRET)]),
    ],
)
def test_errors_of_any_kind(secrets: Secrets, error: Exception) -> None:
    with pytest.raises(type(error)) as caught, secrets.redacted():
        error.add_note(f"Statement: {SECRET}")
        raise error
    assert caught.value is error
    assert "MARKED" not in everything(error)
    assert "***" in everything(error)


@pytest.mark.parametrize("shown", [True, False])
def test_the_causes_of_an_error(secrets: Secrets, shown: bool) -> None:
    with pytest.raises(RuntimeError) as caught, secrets.redacted():
        try:
            try:
                raise KeyError(SECRET)
            except KeyError as first:
                raise ValueError(SECRET) from first
        except ValueError as second:
            raise RuntimeError("failed") from (second if shown else None)
    assert "MARKED" not in everything(caught.value)


def test_the_driver_s_log_during_the_session(secrets: Secrets, caplog: pytest.LogCaptureFixture) -> None:
    driver = logging.getLogger("some.driver")
    with caplog.at_level(logging.DEBUG):
        with secrets.out_of(["some.driver"]):
            driver.debug("Sending %s, %d bytes", SECRET, 7)
            try:
                raise ValueError(SECRET)
            except ValueError:
                driver.exception("failed")
        assert "MARKED" not in caplog.text
        assert "Sending ***, 7 bytes" in caplog.text
        driver.debug("%d bytes", 8)
    assert "8 bytes" in caplog.text
    assert driver.filters == []
