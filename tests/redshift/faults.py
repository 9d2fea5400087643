"""Faults that the endpoint injects."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.redshift.wire import Closed, ServerError

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass
class Fault:
    """An injected failure of matching statements.

    :param pattern: a regular expression, searched in the statement.
    :param error: creates the exception: a server error, or a lost connection.
    :param nth: the number of the first matching statement that fails, from 1.
    :param times: the number of consecutive failures.
    :param after_execution: execute the statement, and fail in place of the response.
    """

    pattern: str
    error: Callable[[], Exception]
    nth: int = 1
    times: int = 1
    after_execution: bool = False
    seen: int = field(default=0, init=False)

    def matches(self, sql: str) -> bool:
        """Count a matching statement; return whether it fails."""
        if not re.search(self.pattern, sql):
            return False
        self.seen += 1
        return self.nth <= self.seen < self.nth + self.times

    @property
    def exhausted(self) -> bool:
        """Whether all failures have been injected."""
        return self.seen >= self.nth + self.times - 1

    def inject(self) -> None:
        """Raise the error."""
        raise self.error()


def serialization_error(table: int = 100) -> ServerError:
    """Return Redshift's error 1023, a serializable isolation violation.

    https://docs.aws.amazon.com/redshift/latest/dg/c_serial_isolation.html
    """
    return ServerError(
        "XX000",
        "1023",
        D=f"Serializable isolation violation on table - {table}, transactions forming the cycle are: 1, 2 (pid:3)",
    )


def disconnection() -> Closed:
    """Return a connection lost without an error message, as in a network failure."""
    return Closed()


def shutdown() -> ServerError:
    """Return the error of a session that a restart, a resize or an administrator terminates."""
    return ServerError("57P01", "terminating connection due to administrator command", fatal=True)
