"""The result of a check."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Severity = Literal["error", "warn"]
Scope = Literal["interval", "table"]
# The XCom with the results of a task's checks, passed ones included.
CHECK_RESULTS = "checks"


@dataclass(frozen=True)
class CheckResult:
    """The result of a check.

    :param table: the table that was checked.
    :param check: the check's name, unique within its table.
    :param kind: the kind of check, such as ``not_null``.
    :param severity: ``error`` fails the task; ``warn`` is alerted and recorded.
    :param scope: the checked rows: those of the run's ``interval``, or the whole ``table``.
    :param passed: whether it passed.
    :param observed: the observed result, as text.
    :param expected: the expected result, as text.
    :param failing_rows: number of failing rows; 0 if the check measures a single number.
    :param total_rows: number of checked rows.
    :param sample: at most five of the failing rows: values by column.
    :param why: why it matters.
    :param remedy: what to do, the check's runbook.
    :param seconds: duration of the check in the database.
    :param column: the checked column, if it is exactly one.
    :param problems: the keys of what has failed, if a further one is reported while the check is failing.
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
    problems: list[str] = field(default_factory=list)

    @property
    def key(self) -> str:
        """Its identifier within a DAG."""
        return key_of(self.table, self.check)

    @property
    def outcome(self) -> Literal["passed", "warned", "failed"]:
        """Its effect on the run."""
        if self.passed:
            return "passed"
        return "failed" if self.severity == "error" else "warned"

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON for an XCom."""
        return asdict(self)


def key_of(table: str, check: str) -> str:
    """Return the identifier of a check within a DAG."""
    return f"{table}: {check}"
