"""Redaction of a session's secrets in its errors, its log and the log of its driver.

Airflow masks task logs and alerts. An exception goes further: to the scheduler's output and, with OpenLineage, to
another machine. So everything that leaves the session is redacted here, at its source.
"""

from __future__ import annotations

import dataclasses
import json
import logging
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

T = TypeVar("T")

MASK = "***"
# A key of a dataclass field's metadata: the field contains data, which is not redacted.
KEEP = "keep"
# Masking shorter secrets would mask parts of ordinary words; Airflow's masker has the same limit.
SHORTEST = 5

# Authorization clauses, even if a message is truncated within one.
# https://docs.aws.amazon.com/redshift/latest/dg/copy-parameters-authorization.html
_CLAUSE = re.compile(
    r"\b(CREDENTIALS(?:\s+AS)?|SECRET_ACCESS_KEY|SESSION_TOKEN|PASSWORD)(\s+')(?:[^']|'')*('|$)", re.IGNORECASE
)
_FIELD = re.compile(r"\b(aws_secret_access_key|aws_session_token|token)=[^;'\"\s]+", re.IGNORECASE)


class Secrets:
    """The secrets of one session; also a filter for loggers."""

    def __init__(self) -> None:
        self._forms: list[str] = []

    def add(self, *secrets: str | None) -> None:
        """Redact these secrets from now on, in task logs, too."""
        from airflow.sdk.log import mask_secret

        for secret in secrets:
            if secret and len(secret) >= SHORTEST:
                mask_secret(secret)
                # Verbatim, in an SQL literal, in Python's repr(), in JSON.
                forms = {secret, secret.replace("'", "''"), repr(secret)[1:-1], json.dumps(secret)[1:-1]}
                self._forms = sorted({*self._forms, *forms}, key=len, reverse=True)

    def redact(self, value: T) -> T:
        """Return a value without secrets: text, containers, dataclasses. An exception is redacted in place."""
        redacted: T = self._redact(value, set())
        return redacted

    @contextmanager
    def redacted(self) -> Iterator[None]:
        """Redact any exception that leaves the block, with its notes, causes and contexts."""
        try:
            yield
        except BaseException as error:
            self.redact(error)
            raise

    @contextmanager
    def out_of(self, loggers: Iterable[str]) -> Iterator[None]:
        """Redact the records of these loggers within the block."""
        found = [logging.getLogger(name) for name in loggers]
        for logger in found:
            logger.addFilter(self.filter)
        try:
            yield
        finally:
            for logger in found:
                logger.removeFilter(self.filter)

    def filter(self, record: logging.LogRecord) -> bool:
        """Redact a log record."""
        record.msg, record.args = self.redact(record.getMessage()), None
        if record.exc_info:
            self.redact(record.exc_info[1])
        return True

    def _redact(self, value: Any, seen: set[int]) -> Any:
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, bytes):
            return self._text(value.decode(errors="surrogateescape")).encode(errors="surrogateescape")
        if isinstance(value, BaseException):
            self._error(value, seen)
        elif isinstance(value, dict):
            return {key: self._redact(item, seen) for key, item in value.items()}
        elif isinstance(value, list | tuple | set):
            items = (self._redact(item, seen) for item in value)
            return value._make(items) if hasattr(value, "_make") else type(value)(items)
        elif dataclasses.is_dataclass(value) and not isinstance(value, type):
            fields = [field.name for field in dataclasses.fields(value) if not field.metadata.get(KEEP)]
            return dataclasses.replace(value, **{name: self._redact(getattr(value, name), seen) for name in fields})
        return value

    def _text(self, text: str) -> str:
        for form in self._forms:
            text = text.replace(form, MASK)
        return _FIELD.sub(rf"\1={MASK}", _CLAUSE.sub(rf"\1\2{MASK}\3", text))

    def _error(self, error: BaseException, seen: set[int]) -> None:
        if id(error) in seen:
            return
        seen.add(id(error))
        error.args = self._redact(error.args, seen)
        for name, value in vars(error).items():  # notes are among them, and the rejected rows of a COPY
            setattr(error, name, self._redact(value, seen))
        for other in (error.__cause__, error.__context__):
            if other is not None:
                self._error(other, seen)
