"""Load the second source, which has a JSONPaths file, over the Redshift client."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from random import Random
from typing import TYPE_CHECKING

import pytest

from tests.redshift import side_by_side
from tests.redshift.isolation import Isolation
from tests.second_source.activity import dag
from tests.second_source.records import TABLES, expected, put, some, utc

if TYPE_CHECKING:
    from sandbox.lab import Lab
    from tests.redshift.endpoint import Endpoint

pytestmark = pytest.mark.filterwarnings("ignore:ssl:DeprecationWarning")  # of redshift_connector


def test_the_tables_match_those_computed_in_python(redshift: Lab, endpoint: Endpoint) -> None:
    records = some(Random(1), utc("2015-01-01T20:00"), 6, 300)
    put(redshift, records)
    for start, end in (("2015-01-01T22:00", "2015-01-02T02:00"), ("2015-01-01T20:00", "2015-01-01T22:00")):
        redshift.run(start, end, dag=dag)
    assert redshift.tables(TABLES) == expected(records)
    source = f"s3://{redshift.bucket}"
    assert any(
        f" FROM '{source}/events/2015-01-02-1.json.gz' " in command
        and f" FORMAT AS JSON '{source}/jsonpaths/activity.json' MAXERROR 1 GZIP TIMEFORMAT 'auto' " in command
        for command in endpoint.statements("COPY")
    )


def test_concurrent_runs_leave_the_same_tables(redshift: Lab, endpoint: Endpoint) -> None:
    endpoint.isolation = Isolation("SERIALIZABLE")
    records = some(Random(2), utc("2015-01-01T20:00"), 6, 60)
    put(redshift, records)
    hours = ["2015-01-01T20:00", "2015-01-01T22:00", "2015-01-02T00:00", "2015-01-02T02:00"]
    with ThreadPoolExecutor(3) as pool:
        runs = [pool.submit(side_by_side.run, redshift, hours[at], hours[at + 1], dag) for at in (1, 0, 2)]
        assert [run.result(timeout=120) for run in runs] == [0, 0, 0]
    assert redshift.tables(TABLES) == expected(records)
