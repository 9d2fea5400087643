"""What can go wrong at the endpoint."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.redshift.wire import Closed, ServerError

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass
class Fault:
    """What goes wrong with a statement.

    :param pattern: a regular expression that is found in the statement.
    :param error: what makes it fail: an error of the server, or the end of the session.
    :param nth: the first of the matching statements that fails, from 1.
    :param times: how many of them fail, one after the other.
    :param late: whether the statement is executed all the same, and only its answer is lost.
    """

    pattern: str
    error: Callable[[], Exception]
    nth: int = 1
    times: int = 1
    late: bool = False
    seen: int = field(default=0, init=False)

    def matches(self, sql: str) -> bool:
        """Count the statement where it matches; tell whether it is to fail."""
        if not re.search(self.pattern, sql):
            return False
        self.seen += 1
        return self.nth <= self.seen < self.nth + self.times

    @property
    def struck(self) -> bool:
        """Whether it has done all its harm."""
        return self.seen >= self.nth + self.times - 1

    def strike(self) -> None:
        """Fail."""
        raise self.error()


def serialization_error(table: int = 100) -> ServerError:
    """Return Redshift's error for a transaction that a concurrent one got in the way of.

    https://docs.aws.amazon.com/redshift/latest/dg/c_serial_isolation.html
    """
    return ServerError(
        "XX000",
        "1023",
        D=f"Serializable isolation violation on table - {table}, transactions forming the cycle are: 1, 2 (pid:3)",
    )


def disconnection() -> Closed:
    """Return the end of a session without a word, as when the network breaks."""
    return Closed()


def shutdown() -> ServerError:
    """Return the end of a session at the server's will: a restart, a resize, an administrator."""
    return ServerError("57P01", "terminating connection due to administrator command", fatal=True)
