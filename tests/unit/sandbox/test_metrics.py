"""docs/metrics.md has the metrics of the catalogue."""

from __future__ import annotations

from sandbox.metrics import FILE, table, updated
from sparkify.schema.metrics import Metric


def test_the_document_is_up_to_date() -> None:
    assert FILE.read_text() == updated(FILE.read_text()), "a metric has changed: run make format"


def test_a_metric_is_a_row() -> None:
    metric = Metric("paid_share", "Paid share", "Of the plays.", ("day", "level"), "no", "%")
    assert "\n| `paid_share` | Paid share | Of the plays. | day, level | no | % |\n" in table([metric])
