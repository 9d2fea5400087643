"""The fields of a source are sampled and checked over the Redshift client as on PostgreSQL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from airflow.sdk.exceptions import AirflowFailException

from tests.redshift.test_dag import DAY, fill, on_postgres
from tests.support.data import event, song, source_fields

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.lab import Lab

pytestmark = pytest.mark.filterwarnings("ignore:ssl:DeprecationWarning")  # of redshift_connector


def drift(lab: Lab) -> tuple[list[tuple[Any, ...]], dict[str, Any]]:
    """Load a day, then rename a field and change a song; return the sampled fields, and what the checks report."""
    fill(lab)
    lab.run(*DAY)
    items = [event(f"2018-11-01T05:{number:02}", number) for number in range(60)]
    lab.put_events(DAY[0], [{"user": item.pop("userId"), **item} for item in items])
    lab.put_song("1", song("SO1", title=311, label="x"))
    with pytest.raises(AirflowFailException, match=r"userId is missing in all sampled objects \(s3://.* line 1\)"):
        lab.run(*DAY)
    lab.run(*DAY, dag_id="sparkify_audit", tasks=["audit"])
    results = [*lab.xcoms["data_quality"]["checks"], *lab.xcoms["audit"]["checks"]]
    return source_fields(lab), {item["table"]: item["problems"] for item in results if item["kind"] == "fields"}


def test_drift_is_reported_as_on_postgresql(redshift: Lab, make_lab: Callable[[], Lab]) -> None:
    expected: list[Any] = []
    found = drift(redshift)
    on_postgres(make_lab, lambda lab: expected.append(drift(lab)))
    assert [found] == expected
    assert found[1] == {"staging_events": ["user: new", "userId: missing"], "staging_songs": ["label: new"]}
