"""The changes of a schema: their SQL, and what they lock and rewrite.

https://docs.aws.amazon.com/redshift/latest/dg/r_ALTER_TABLE.html
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Kind(Enum):
    """A kind of change, with what it locks and rewrites."""

    CREATE = "creates an object"
    EXECUTE = "runs in each run: it creates no object"
    ADD = "locks the table for a moment; rewrites nothing"
    WIDEN = "locks the table for a moment, outside of a transaction; rewrites nothing"
    COMMENT = "changes the description only"
    KEYS = "locks the table; Redshift then reorders its rows in the background, PostgreSQL builds an index"
    DROP = "locks the table for a moment; the column's values are lost"
    REBUILD = "writes a new table beside the old one, then swaps them: readers wait for the swap only"
    VIEW = "drops the view and creates it in one transaction; its privileges are kept"

    @property
    def is_additive(self) -> bool:
        """Whether all existing rows and queries stay as they are."""
        return self not in (Kind.KEYS, Kind.DROP, Kind.REBUILD)

    @property
    def is_outside(self) -> bool:
        """Whether it is applied outside of a transaction.

        Redshift requires it for ALTER COLUMN TYPE; for keys its reference does not say.
        """
        return self in (Kind.WIDEN, Kind.KEYS)

    @property
    def is_alteration(self) -> bool:
        """Whether it changes a table."""
        return self not in (Kind.CREATE, Kind.EXECUTE, Kind.COMMENT, Kind.VIEW)

    @property
    def affects_views(self) -> bool:
        """Whether the database refuses it while views read the table."""
        return self in (Kind.WIDEN, Kind.DROP, Kind.VIEW)


@dataclass(frozen=True)
class Change:
    """One change.

    :param kind: its kind.
    :param table: the table or view that it creates or alters; empty if there is none.
    :param what: one line: ``add the column country VARCHAR(2)``.
    :param sql: the statements, in Redshift's dialect; empty for a rebuild, which depends on the table's rows.
    :param is_blocking: whether nothing can be loaded without it.
    """

    kind: Kind
    table: str
    what: str
    sql: str = ""
    is_blocking: bool = False
