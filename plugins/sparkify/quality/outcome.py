"""What a check came to."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

Severity = Literal["error", "warn"]
Scope = Literal["interval", "table"]


@dataclass(frozen=True)
class Outcome:
    """What a check came to.

    :param table: the table that was checked.
    :param check: what must be true: the check's name, unique within its table.
    :param kind: the kind of check, such as ``not_null``.
    :param severity: ``error`` fails the task; ``warn`` is told and remembered.
    :param scope: the rows it looked at: those of the run's ``interval``, or the whole ``table``.
    :param passed: whether it is so.
    :param observed: what was found, for people.
    :param expected: what should have been, for people.
    :param failing_rows: how many rows fail; 0 where the check is of a number.
    :param total_rows: of how many.
    :param sample: some of the failing rows, at most five: values by column.
    :param why: why it matters.
    :param remedy: what to do, the check's runbook.
    :param seconds: that the check took in the database.
    :param column: the column that it is about, where it is about one.
    """

    table: str
    check: str
    kind: str
    severity: Severity
    scope: Scope
    passed: bool
    observed: str
    expected: str
    failing_rows: int
    total_rows: int
    sample: list[dict[str, Any]]
    why: str
    remedy: str
    seconds: float
    column: str | None = None

    @property
    def outcome(self) -> Literal["passed", "warned", "failed"]:
        """What it means for the run."""
        if self.passed:
            return "passed"
        return "failed" if self.severity == "error" else "warned"

    @property
    def failing_share(self) -> float:
        """The failing rows' share of all that were looked at, 0 to 1."""
        return self.failing_rows / self.total_rows if self.total_rows else 0.0

    def to_json(self) -> dict[str, Any]:
        """Return it as an XCom carries it."""
        return asdict(self)
