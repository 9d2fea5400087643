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
    :param select: the SELECT that the table's rows come from.
    :param bucket: the bucket of the objects that it reads.
    :param key: their keys, as the operator has them.
    """

    reads: Sequence[str] = ()
    writes: str | None = None
    select: str | None = None
    bucket: str | None = None
    key: str = ""
