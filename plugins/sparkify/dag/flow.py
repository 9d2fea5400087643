"""What a task reads and writes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class Flow:
    """What a task reads and writes.

    :param reads: tables.
    :param writes: the table that it writes.
    :param select: the SELECT that defines the table's rows.
    :param bucket: the bucket of the objects that it reads.
    :param key: the operator's pattern of their keys.
    """

    reads: Sequence[str] = ()
    writes: str | None = None
    select: str | None = None
    bucket: str | None = None
    key: str = ""
