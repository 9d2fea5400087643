"""Short concurrent histories leave the tables of a single run, under both isolation levels of Redshift.

`make test-redshift` and `make proof` run these tests on a real Redshift, see test_workgroup.py.
https://docs.aws.amazon.com/redshift/latest/dg/c_serial_isolation.html
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from tests.redshift.workgroup import TIMEOUT, connected
from tests.support.data import event, song

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.lab import Lab
    from tests.redshift.conftest import OpenBoth

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:ssl:DeprecationWarning"),  # of redshift_connector
    pytest.mark.timeout(TIMEOUT),
]

DAYS = ("2018-11-01", "2018-11-02", "2018-11-03")
CONCURRENT = 3
# Versions of the files, each with its runs, which start in this order: parts out of order, overlaps, repetitions.
HISTORY = [
    (0, [("2018-11-01T12:00", "2018-11-01T18:00"), ("2018-11-01T04:00", "2018-11-01T13:00")]),
    (1, [("2018-11-02", "2018-11-03"), ("2018-11-01", "2018-11-02"), ("2018-11-02T05:00", "2018-11-02T06:00")]),
]


def put(lab: Lab, version: int) -> None:
    """Put a version of the files: with late, changed and duplicate events, strays, and late and changed songs."""
    late = min(version, 1)
    for number, day in enumerate(DAYS[:2]):
        plays = [
            event(
                f"{day}T{hour:02}:10:00",
                100 * number + hour,
                userId=str(hour % 4),
                level="paid" if (hour + late) % 3 == 0 else "free",
                song=f"Title {hour % 3}",
            )
            for hour in range(18 + 6 * late)
        ]
        stray = event(f"{DAYS[1 - number]}T03:30:00", 900 + number, userId="7")
        lab.put_events(day, [*plays, plays[5], stray])
    for number in range(version + 1):
        lab.put_song(str(number), song(f"SO{number}", title=f"Title {number}", year=2000 + version))


@pytest.mark.parametrize("isolation", ["SNAPSHOT", "SERIALIZABLE"])
def test_concurrent_runs_leave_the_tables_of_a_single_run(
    open_both: OpenBoth,
    isolation: str,
    record_property: Callable[[str, object], None],
    caplog: pytest.LogCaptureFixture,
) -> None:
    record_property("isolation", isolation)
    record_property("runs", sum(len(runs) for _, runs in HISTORY))
    with open_both(isolation) as both:
        redshift, local = both
        with connected(redshift.environment):
            levels = dict(redshift.query("SELECT TRIM(db_name), TRIM(isolation_level) FROM stv_db_isolation_level"))
            assert levels[redshift.name].upper().startswith(isolation)
            redshift.run(*DAYS[:2], tasks=["create_tables"])
            for version, runs in HISTORY:
                put(redshift, version)
                with ThreadPoolExecutor(CONCURRENT) as pool:
                    for future in [pool.submit(redshift.run, *interval) for interval in runs]:
                        future.result(timeout=TIMEOUT)
        record_property("conflicts", sum("Serialization conflict" in message for message in caplog.messages))
        with connected(local.environment):
            put(local, HISTORY[-1][0])
            local.run(DAYS[0], DAYS[2])
        tables = both.tables()
        assert len(tables[1]["songplays"]) == 2 * 24 + 2
        assert tables[0] == tables[1]
