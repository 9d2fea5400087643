"""Check data quality."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow.sdk.exceptions import AirflowFailException

from sparkify.operators.base import WarehouseOperator

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context

    from sparkify.quality.outcome import Outcome, Scope

log = logging.getLogger(__name__)

SIGNS = {"passed": "ok    ", "warned": "WARN  ", "failed": "FAILED"}


class DataQualityOperator(WarehouseOperator):
    """Evaluate all checks of a scope, record each result, and fail if a check of severity error failed.

    The results are in the table operations.data_quality_results, and in the XCom ``checks``: a list of
    :class:`sparkify.quality.outcome.Outcome` as JSON. The task is retried if the database failed, but not if a check
    did: the same data would fail again.

    :param checks: the folder with the YAML files that declare the checks, see include/checks. (templated)
    :param scope: ``interval`` for checks of the run's interval, ``table`` for checks of whole tables.
    """

    template_fields: Sequence[str] = (*WarehouseOperator.template_fields, "checks")
    ui_color = "#f7e3b5"

    def __init__(self, *, checks: str, scope: Scope = "interval", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.checks = checks
        self.scope = scope

    def work(self, context: Context) -> dict[str, Any]:
        from sparkify.quality import declaration, history
        from sparkify.quality.evaluate import evaluate

        try:
            declared = declaration.load(Path(self.checks))
        except declaration.DeclarationError as error:
            raise AirflowFailException(f"Invalid declaration of checks:\n{error}") from None
        checks = [check for check in declared if check.scope == self.scope]
        run = history.Run.of(context["dag_run"])
        with self.warehouse() as warehouse:
            outcomes = warehouse.transaction(lambda: list(evaluate(warehouse, checks, self.interval)))
            warehouse.transaction(
                lambda: history.record(warehouse, outcomes, run, self.interval), lock=[history.RESULTS]
            )
        self.outcomes = outcomes
        context["ti"].xcom_push(key="checks", value=[outcome.to_json() for outcome in outcomes])
        for outcome in outcomes:
            log.info("%s %s", SIGNS[outcome.outcome], _line(outcome))
        failed = [outcome for outcome in outcomes if outcome.outcome == "failed"]
        warned = [outcome for outcome in outcomes if outcome.outcome == "warned"]
        for outcome in warned:
            log.warning("%s", _explain(outcome))
        if failed:
            raise AirflowFailException(
                f"{len(failed)} of {len(outcomes)} data quality checks failed for {self.interval}:\n"
                + "\n".join(map(_explain, failed))
            )
        return {"checks": len(outcomes), "failed": 0, "warned": len(warned)}


def _line(outcome: Outcome) -> str:
    return f"{outcome.table}: {outcome.check}: {outcome.observed}, expected {outcome.expected}"


def _explain(outcome: Outcome) -> str:
    """Return what failed, why it matters, what to do, and a sample of failing rows."""
    rows = [f"    {row}" for row in outcome.sample]
    return "\n".join([f"- {_line(outcome)}. {outcome.why} {outcome.remedy}", *rows])
