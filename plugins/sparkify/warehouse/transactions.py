"""The transactions of a session: a guard against writes without a lock, and retries after serialization conflicts."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING

import tenacity

from sparkify.sql import scripts
from sparkify.warehouse.errors import WarehouseError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

log = logging.getLogger(__name__)

# A conflict ends with the other transaction, which takes seconds at most.
ATTEMPTS = 8


class TransactionGuard:
    """Checks each statement of a session before it is sent; :meth:`Warehouse.transaction` has the rules."""

    def __init__(self) -> None:
        self._locked: tuple[str, ...] | None = None  # by the current transaction; None outside of one
        self._temporary: set[str] = set()  # the session's own tables, which no other session can write to
        self._created: set[str] = set()  # by the current transaction: no other session sees them
        # The other tables to which the current transaction has written.
        self.written: set[str] = set()
        self._verbs: set[str] = set()  # of the current transaction's statements

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction has begun."""
        return self._locked is not None

    @property
    def has_only_read(self) -> bool:
        """Whether the current transaction has only read, so that there is nothing to commit."""
        return self._verbs == {"SELECT"}

    @contextmanager
    def transaction(self, lock: Iterable[str]) -> Iterator[None]:
        """Begin a transaction, and end it with the block.

        :param lock: the tables that it locks.
        :raises WarehouseError: if another transaction has not ended yet.
        """
        if self.in_transaction:
            raise WarehouseError(
                "Nested transaction: it would commit the work of the outer one. Begin it after the outer one."
            )
        self._locked = tuple(lock)
        self.written = set()
        self._verbs = set()
        try:
            yield
        finally:
            self._locked = None
            self._created = set()

    def begin_read_only(self) -> None:
        """Begin a transaction without locks that lasts for the rest of the session."""
        self._locked = ()

    def check(self, statement: str) -> None:
        """Check a statement, and record the temporary table that it creates.

        :raises WarehouseError: if it is outside of a transaction, locks tables, or writes to tables without a lock.
        """
        command = scripts.command(statement)
        self._verbs.add(command.verb)
        if command.verb in scripts.WRITES:
            self.check_write(statement, command.names)
            return
        self._check_transaction(statement)
        if command.verb == "LOCK":
            raise WarehouseError(
                f"Not sent: {scripts.label(statement)!r}. A lock must precede the transaction's snapshot: pass the "
                "table to transaction(work, lock=[...])."
            )
        if command.verb == "CREATE TEMP TABLE":
            self._temporary.update(map(_folded, command.names))
        if command.verb == "CREATE TABLE" and not command.if_not_exists:
            self._created.update(map(_folded, command.names))

    def check_write(self, statement: str, tables: Iterable[str]) -> None:
        """Check a statement that writes to tables.

        :param statement: the statement, or its beginning, for the error.
        :raises WarehouseError: if it is outside of a transaction, or its transaction holds no lock.
        """
        self._check_transaction(statement)
        self._verbs.add("INSERT")
        shared = [table for table in tables if _folded(table) not in self._temporary | self._created]
        if shared and not self._locked:
            raise WarehouseError(
                f"Not sent: {scripts.label(statement)!r}. It writes to {', '.join(shared)}, and its transaction holds "
                "no lock, so it may not see what concurrent runs have written. Pass the tables to lock to "
                "transaction(work, lock=[...])."
            )
        self.written.update(map(_folded, shared))

    def _check_transaction(self, statement: str) -> None:
        if not self.in_transaction:
            raise WarehouseError(f"Not sent: {scripts.label(statement)!r}. Send it within Warehouse.transaction().")


def _folded(name: str) -> str:
    """Return a name in lower case without quotes, as Redshift folds it.

    https://docs.aws.amazon.com/redshift/latest/dg/r_names.html
    """
    return name.replace('"', "").lower()


def retrying(is_conflict: Callable[[BaseException], bool], text: Callable[[BaseException], str]) -> tenacity.Retrying:
    """Return a caller that retries a transaction after a conflict, with random exponential backoff.

    :param is_conflict: returns whether a concurrent transaction caused an error.
    :param text: returns the message of an error, for the log.
    """

    def log_conflict(state: tenacity.RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        log.warning(
            "Serialization conflict, retrying in %.1f s (attempt %d of %d): %s",
            state.upcoming_sleep,
            state.attempt_number + 1,
            ATTEMPTS,
            text(error).split("\n")[0] if error else "",
        )

    return tenacity.Retrying(
        retry=tenacity.retry_if_exception(is_conflict),
        stop=tenacity.stop_after_attempt(ATTEMPTS),
        wait=tenacity.wait_random_exponential(multiplier=0.1, max=10),
        before_sleep=log_conflict,
        reraise=True,
    )
