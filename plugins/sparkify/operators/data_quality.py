"""Check the data."""

from __future__ import annotations

import logging
import operator
import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, ClassVar

import yaml
from airflow.sdk.exceptions import AirflowFailException

from sparkify import scopes
from sparkify.operators.base import WarehouseOperator

if TYPE_CHECKING:
    from collections.abc import Sequence

    import jinja2
    from airflow.sdk import Context

log = logging.getLogger(__name__)

COMPARISONS = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_EXPECTATION = re.compile(r"(=|!=|<=|>=|<|>)\s*(-?\d+(?:\.\d+)?)")


@dataclass(frozen=True)
class Check:
    """One thing that must be true of the data.

    :param name: what must be true.
    :param sql: a SELECT of one number.
    :param expect: a comparison with a number, such as ``= 0``.
    :param why: why it matters, and what to look at when it fails.
    """

    name: str
    sql: str
    expect: str
    why: str = ""

    def __post_init__(self) -> None:
        if not all(isinstance(value, str) for value in (self.name, self.sql, self.expect, self.why)):
            raise TypeError("A check's fields are texts.")
        if not _EXPECTATION.fullmatch(self.expect.strip()):
            raise ValueError(
                f"Check {self.name!r}: expect must be a comparison with a number, such as '= 0' or '>= 1', "
                f"not {self.expect!r}."
            )

    def holds(self, observed: Any) -> bool:
        """Tell whether a result is as expected; NULL, and whatever else is no number, never is."""
        found = _EXPECTATION.fullmatch(self.expect.strip())
        assert found
        try:
            number = Decimal(str(observed))
        except InvalidOperation:
            return False
        return not number.is_nan() and bool(COMPARISONS[found[1]](number, Decimal(found[2])))


def parse_checks(text: str) -> list[Check]:
    """Read the checks of a YAML document: a mapping with a list ``checks``.

    :raises ValueError: where it is not one; names the check and what was expected.
    """
    document = yaml.safe_load(text)
    if not isinstance(document, dict) or not isinstance(document.get("checks"), list):
        raise ValueError("A file of checks is a mapping with a list 'checks'.")
    checks = []
    for number, item in enumerate(document["checks"], 1):
        try:
            checks.append(Check(**item))
        except TypeError:
            raise ValueError(
                f"Check number {number} must have the texts name, sql and expect, and may have why; it is {item!r}."
            ) from None
    return checks


class DataQualityOperator(WarehouseOperator):
    """Run checks; when all have run, fail where any does not hold.

    :param checks: .yaml files of checks. In their SQL ``{{ scope(column) }}`` is the run's interval. (templated)
    """

    template_fields: Sequence[str] = (*WarehouseOperator.template_fields, "checks")
    template_ext: Sequence[str] = (".yaml",)
    template_fields_renderers: ClassVar[dict[str, str]] = {"checks": "yaml"}
    ui_color = "#f7e3b5"

    def __init__(self, *, checks: list[str], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.checks = checks

    def render_template_fields(self, context: Context, jinja_env: jinja2.Environment | None = None) -> None:
        """Render the fields, with the run's interval as the scope of the checks."""

        def scope(column: str) -> str:
            return scopes.OfInterval(self.interval)(column)  # the interval is rendered by the time this is called

        super().render_template_fields(self.with_scope(context, scope), jinja_env)

    def work(self, context: Context) -> dict[str, Any]:
        try:
            checks = [check for document in self.checks for check in parse_checks(document)]
        except (ValueError, yaml.YAMLError) as error:
            raise AirflowFailException(f"The checks cannot be read: {error}") from None
        outcomes = []
        with self.warehouse() as warehouse:
            for check in checks:
                rows = warehouse.query(check.sql)
                observed = rows[0][0] if rows else None
                outcomes.append((check, observed, check.holds(observed)))
        context["ti"].xcom_push(
            key="checks",
            value=[
                {"name": check.name, "observed": str(observed), "expected": check.expect, "passed": passed}
                for check, observed, passed in outcomes
            ],
        )
        failed = [(check, observed) for check, observed, passed in outcomes if not passed]
        for check, observed, passed in outcomes:
            log.info("%s %s: %s, expected %s", "ok    " if passed else "FAILED", check.name, observed, check.expect)
        if failed:
            # Not retried: the same data fails again.
            raise AirflowFailException(
                f"{len(failed)} of {len(checks)} data quality checks failed for {self.interval}:\n"
                + "\n".join(
                    f"- {check.name}: observed {observed}, expected {check.expect}. {check.why}".rstrip()
                    for check, observed in failed
                )
            )
        return {"checks": len(checks), "failed": 0}
