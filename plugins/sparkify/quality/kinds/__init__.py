"""The kinds of checks, a module for each: typed options, the SQL that measures it, its evaluation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sparkify.quality.kinds.accepted_values import AcceptedValues
from sparkify.quality.kinds.agreement import Agreement
from sparkify.quality.kinds.custom_sql import CustomSql
from sparkify.quality.kinds.fields import Fields
from sparkify.quality.kinds.freshness import Freshness
from sparkify.quality.kinds.not_null import NotNull
from sparkify.quality.kinds.plausible_time import PlausibleTime
from sparkify.quality.kinds.range import Range
from sparkify.quality.kinds.rejected import Rejected
from sparkify.quality.kinds.relationship import Relationship
from sparkify.quality.kinds.row_count import RowCount
from sparkify.quality.kinds.shrunk import Shrunk
from sparkify.quality.kinds.unique import Unique
from sparkify.quality.kinds.volume import Volume

if TYPE_CHECKING:
    from sparkify.quality.kinds.kind import Kind

_ALL: tuple[type[Kind], ...] = (
    NotNull,
    Unique,
    AcceptedValues,
    Range,
    PlausibleTime,
    Relationship,
    RowCount,
    Freshness,
    Volume,
    Agreement,
    Rejected,
    Shrunk,
    Fields,
    CustomSql,
)

# The kinds by their key in a declaration.
KINDS: dict[str, type[Kind]] = {kind.name: kind for kind in _ALL}
