"""Redshift's isolation levels: which of its concurrent transactions the endpoint aborts.

Both levels have in common, and PostgreSQL's REPEATABLE READ has it, too:

- A transaction reads one snapshot. Its first SELECT, DML or DDL takes it; BEGIN and LOCK take none.
  https://docs.aws.amazon.com/redshift/latest/dg/c_serial_isolation.html
- The first write to a table waits for its other writers, before it takes a snapshot: the second of two DELETEs is never
  stale. https://docs.aws.amazon.com/redshift/latest/dg/c_write_readwrite.html
- LOCK excludes readers, too. https://docs.aws.amazon.com/redshift/latest/dg/r_LOCK.html
- Of two transactions that change the same rows, the later one is aborted.

SERIALIZABLE also aborts the statement after which some transactions have no serial order any more: they form a cycle.
AWS documents the rule, and that locking all tables prevents it, but not how a cycle is found. Here it is judged by
whole tables, which is at least as strict. A transaction comes before another one if it has read a table without what
the other writes to it, if the other has read what it wrote, or if it wrote to the same table first. INSERT and COPY
only write. A transaction that is aborted later counts as well until then.
https://docs.aws.amazon.com/redshift/latest/dg/c_serial_isolation-serializable-isolation-troubleshooting.html
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NamedTuple

from sparkify.sql import scripts
from tests.redshift.faults import serialization_error

if TYPE_CHECKING:
    from typing import Any

    import psycopg

Level = Literal["SNAPSHOT", "SERIALIZABLE"]

# What the session's transaction has read and written, by PostgreSQL's locks: they are exact for every statement, and
# are kept until it ends. DELETE, UPDATE and MERGE lock their table like INSERT. ANALYZE reads.
_LOCKS = """
    SELECT
        relation::regclass::text,
        relation::bigint,
        bool_or(mode IN ('AccessShareLock', 'ShareUpdateExclusiveLock')),
        bool_or(mode = 'RowExclusiveLock'),
        pg_current_snapshot()::text
    FROM pg_locks INNER JOIN pg_class ON pg_class.oid = relation
    WHERE
        pid = pg_backend_pid() AND locktype = 'relation' AND relkind = 'r' AND relpersistence = 'p'
        AND relnamespace NOT IN (SELECT oid FROM pg_namespace WHERE nspname ~ '^(pg_|endpoint$|information_schema$)')
        AND relname NOT IN ('stl_load_errors', 'endpoint_load_errors')
    GROUP BY relation
"""


class Snapshot(NamedTuple):
    """PostgreSQL's snapshot: https://www.postgresql.org/docs/current/functions-info.html."""

    xmin: int
    xmax: int
    in_progress: frozenset[int]

    @classmethod
    def parse(cls, text: str) -> Snapshot:
        xmin, xmax, active = text.split(":")
        return cls(int(xmin), int(xmax), frozenset(int(xid) for xid in active.split(",") if xid))

    def has(self, xid: int | None) -> bool:
        """Return whether a committed transaction is part of it."""
        return xid is not None and (xid < self.xmin or (xid < self.xmax and xid not in self.in_progress))


@dataclass(eq=False)
class Transaction:
    """What a transaction has done.

    :param pid: the session.
    :param locked: the tables that it locked, which name it in the record of conflicts.
    :param created: the tables that it created: no concurrent transaction uses them.
    :param writes: the tables, with the number of its first write to each among all writes.
    """

    pid: int
    locked: set[str] = field(default_factory=set)
    created: set[str] = field(default_factory=set)
    reads: set[str] = field(default_factory=set)
    writes: dict[str, int] = field(default_factory=dict)
    snapshot: Snapshot | None = None
    xid: int | None = None

    def precedes(self, other: Transaction) -> set[str]:
        """Return the tables because of which it comes before another one in a serial order."""
        return {
            *(
                name
                for name in self.reads & other.writes.keys()
                if not (self.snapshot and self.snapshot.has(other.xid))
            ),
            *(name for name in other.reads & self.writes.keys() if other.snapshot and other.snapshot.has(self.xid)),
            *(name for name in self.writes.keys() & other.writes if self.writes[name] < other.writes[name]),
        }


class Isolation:
    """The transactions of all sessions, under an isolation level.

    :param level: Redshift has one for a database; here all databases of the endpoint have the same.
    """

    def __init__(self, level: Level = "SNAPSHOT") -> None:
        self.level = level
        # The transactions of each cycle, from the aborted one on.
        self.conflicts: list[list[Transaction]] = []
        # All transactions that were committed, or have only read.
        self.ended: list[Transaction] = []
        self._lock = threading.Lock()
        self._active: set[Transaction] = set()
        self._concurrent: list[Transaction] = []  # with an active one, directly or through others
        self._writes = 0

    def begin(self, transaction: Transaction) -> None:
        """Register a transaction before its first statement other than LOCK."""
        with self._lock:
            if transaction not in self._active:
                self._active.add(transaction)
                self._concurrent.append(transaction)

    def end(self, transaction: Transaction, *, committed: bool) -> None:
        """Remove a transaction; a committed one still counts for those that are concurrent."""
        with self._lock:
            self._active.discard(transaction)
            if committed or not transaction.writes:
                self.ended.append(transaction)
            if not committed and transaction in self._concurrent:
                self._concurrent.remove(transaction)
            if not self._active:
                self._concurrent.clear()

    def check(self, transaction: Transaction, sql: str, backend: psycopg.Connection[Any]) -> None:
        """Add what a statement has read and written.

        :param backend: PostgreSQL's session, which has executed it.
        :raises ServerError: 1023, if the transactions have no serial order any more.
        """
        if self.level == "SNAPSHOT":
            return
        command = scripts.command(sql)
        if command.verb == "CREATE TABLE" and not command.if_not_exists:
            transaction.created.update(command.names)
        found = backend.execute(_LOCKS).fetchall()
        written = [(name, relation) for name, relation, _, is_written, _ in found if is_written]
        if written and transaction.xid is None:
            ((xid,),) = backend.execute("SELECT pg_current_xact_id()::text::bigint")
            transaction.xid = xid
        with self._lock:
            known = len(transaction.reads) + len(transaction.writes)
            for name, _, is_read, _, snapshot in found:
                transaction.snapshot = Snapshot.parse(snapshot)
                if is_read:
                    transaction.reads.add(name)
            for name, _ in written:
                self._writes += 1
                transaction.writes.setdefault(name, self._writes)
                if command.verb in ("DELETE", "UPDATE", "MERGE") and name in command.names:
                    transaction.reads.add(name)
            if len(transaction.reads) + len(transaction.writes) == known:
                return
            if cycle := self._cycle(transaction):
                self.conflicts.append(cycle)
                (table, *_) = sorted(cycle[-1].precedes(transaction))
                relations = {name: relation for name, relation, *_ in found}
                raise serialization_error(relations.get(table, 0))

    def _cycle(self, start: Transaction) -> list[Transaction]:
        """Return a shortest cycle through a transaction; empty if there is none."""
        paths, seen = [[start]], {start}
        while paths:
            longer = []
            for path in paths:
                for following in self._concurrent:
                    if following is path[-1] or not path[-1].precedes(following):
                        continue
                    if following is start:
                        return path
                    if following not in seen:
                        seen.add(following)
                        longer.append([*path, following])
            paths = longer
        return []
