"""Failed tasks, as Airflow's database has them."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from sparkify.web import failures
from tests.conftest import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fastapi.testclient import TestClient
    from sqlalchemy.orm import Session

HOURLY, AUDIT, REPORT = "sparkify_warehouse", "sparkify_audit", "sparkify_report"
NOW = datetime.now(UTC).replace(microsecond=0)
HOUR = timedelta(hours=1)


def ago(hours: float) -> datetime:
    return NOW - hours * HOUR


@pytest.fixture(scope="module")
def parsed(token: str) -> None:
    """Airflow's database, with the DAGs as the DAG processor stores them."""
    from airflow.dag_processing.bundles.manager import DagBundlesManager
    from airflow.dag_processing.dagbag import DagBag, sync_bag_to_db

    DagBundlesManager().sync_bundles_to_db()
    sync_bag_to_db(DagBag(ROOT / "dags", bundle_name="dags-folder"), "dags-folder", None)


@pytest.fixture
def session(parsed: None) -> Iterator[Session]:
    """A session of Airflow's database, which has no run: neither those of other tests, nor afterwards those of this."""
    from airflow.models.dagrun import DagRun
    from airflow.models.taskinstance import TaskInstance
    from airflow.utils.session import create_session
    from sqlalchemy import delete

    def empty(session: Session) -> None:
        session.rollback()
        session.execute(delete(TaskInstance))
        session.execute(delete(DagRun))
        session.commit()

    with create_session() as session:
        empty(session)
        yield session
        empty(session)


@pytest.fixture
def add(session: Session) -> Callable[..., str]:
    """A function that adds a run with its tasks, and returns its id."""
    from airflow.models.dagrun import DagRun
    from airflow.models.taskinstance import TaskInstance
    from airflow.utils.state import DagRunState
    from airflow.utils.types import DagRunType
    from sqlalchemy import insert

    def run(dag_id: str = HOURLY, state: str = "failed", at: float = 1, hour: int | None = None, **given: Any) -> str:
        """Add a run that started some hours ago and took six minutes.

        :param hour: of 2018-11-01, the run's data interval.
        :param given: ``conf`` and ``partition_key`` of the run; and the states of its tasks, which took three minutes.
        """
        start = datetime(2018, 11, 1, tzinfo=UTC) + hour * HOUR if hour is not None else None
        found = DagRun(
            dag_id=dag_id,
            run_id=f"manual__{uuid.uuid4()}",
            run_type=DagRunType.MANUAL,
            run_after=ago(at),
            start_date=ago(at),
            conf=given.pop("conf", None),
            partition_key=given.pop("partition_key", None),
            state=DagRunState(state),
        )
        if start:
            found.data_interval_start, found.data_interval_end = start, start + HOUR
        found.end_date = ago(at - 0.1)
        session.add(found)
        session.flush()
        for task_id, of_task in given.items():
            key = {"id": uuid.uuid4(), "task_id": task_id, "dag_id": dag_id, "run_id": found.run_id, "map_index": -1}
            ended = ago(at - 0.05)
            session.execute(insert(TaskInstance).values(**key, state=of_task, pool="default_pool", end_date=ended))
        return str(found.run_id)

    return run


def listed(session: Session) -> list[tuple[str | None, str]]:
    """Return the tasks and runs that are listed."""
    return [(item["task_id"], item["run_id"]) for item in failures.read(session)]


def test_a_failed_task_is_listed_with_its_run_its_interval_and_what_to_do(add: Any, session: Session) -> None:
    run = add(hour=14, stage_events="failed", load_songplays="upstream_failed", create_tables="success")
    (found,) = failures.read(session)
    assert found.pop("remedy").startswith(
        "the log and operations.rejected_rows have the file, the line, the column and the reason;"
    )
    assert found == {
        "dag_id": HOURLY,
        "run_id": run,
        "task_id": "stage_events",
        "map_index": -1,
        "state": "failed",
        "start": "2018-11-01T14:00:00.000Z",
        "end": "2018-11-01T15:00:00.000Z",
        "failed_at": f"{ago(0.95):%Y-%m-%dT%H:%M:%S}.000Z",
    }


def test_the_page_reads_them_while_the_warehouse_is_down(
    client: TestClient, add: Any, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AIRFLOW_CONN_REDSHIFT", raising=False)
    run = add(hour=14, stage_events="failed")
    session.commit()
    assert [item["run_id"] for item in client.get("/sparkify/api/loads").json()["failures"]] == [run]


@pytest.mark.parametrize(
    ("dag_id", "task_id", "remedy"),
    [
        (
            HOURLY,
            "load_users",
            "the log has the statement; correct the SQL or the table if it was rejected; clear the task",
        ),  # the row of load_...
        ("sparkify_infrastructure_delete", "delete_cluster", "the log has the reason; clear the task"),
        (REPORT, "write_report", failures.REMEDY),  # several rows, by cause
        (AUDIT, "audit", failures.REMEDY),
        ("sparkify_gone", "task", failures.REMEDY),
    ],
)
def test_the_remedy_is_that_of_the_dag_s_documentation(
    add: Any, session: Session, dag_id: str, task_id: str, remedy: str
) -> None:
    add(dag_id, **{task_id: "failed"})
    assert [item["remedy"] for item in failures.read(session)] == [remedy]


def test_what_is_listed_and_in_which_order(add: Any, session: Session) -> None:
    late = add(at=9, create_tables="failed")
    retrying = add(state="running", at=2, stage_songs="up_for_retry", stage_events="running")
    branch = add(state="running", at=3, stage_songs="failed", stage_events="running")
    timed_out = add(at=1, stage_songs="skipped")
    add(at=24 * 7 + 1, create_tables="failed")  # too long ago
    add("other_dag", at=1, create_tables="failed")
    add("sparkifyxdag", at=1, create_tables="failed")
    add(state="success", at=10, stage_songs="success")
    assert listed(session) == [
        (None, timed_out), ("stage_songs", retrying), ("stage_songs", branch), ("create_tables", late),
    ]  # fmt: skip
    assert [item["state"] for item in failures.read(session)] == ["failed", "up_for_retry", "failed", "failed"]
    assert failures.read(session)[0]["remedy"] == failures.RUN_REMEDY


def ranged(first: int, last: int) -> dict[str, Any]:
    """Return the conf of a run of a range of hours."""
    return {"conf": {"start": f"2018-11-01T{first:02}:00:00Z", "end": f"2018-11-01T{last:02}:00:00Z"}}


@pytest.mark.parametrize(
    ("later", "still"),
    [
        ([], True),
        ([{"hour": 5}], False),
        ([{"hour": 4}], True),
        ([{"hour": 5, "at": 20}], True),  # it ran before
        ([{"hour": 5, "state": "failed"}], True),
        ([ranged(0, 12)], False),
        ([ranged(6, 12)], True),
        ([{"dag_id": AUDIT, "hour": 5}], True),
    ],
)
def test_a_later_run_of_its_interval_supersedes_it(
    add: Any, session: Session, later: list[dict[str, Any]], still: bool
) -> None:
    run = add(at=9, hour=5, stage_events="failed")
    for other in later:
        add(**{"state": "success", "at": 1, **other})
    assert (("stage_events", run) in listed(session)) == still


def test_several_later_runs_supersede_a_range(add: Any, session: Session) -> None:
    run = add(at=9, stage_events="failed", **ranged(5, 8))
    add(state="success", hour=7)
    add(state="success", hour=5)
    assert listed(session) == [("stage_events", run)]
    add(state="success", hour=6)
    assert listed(session) == []


def test_what_owns_no_interval_is_superseded_by_any_later_run(add: Any, session: Session) -> None:
    add(AUDIT, at=9, hour=5, audit="failed")
    add(HOURLY, at=9, create_tables="failed", conf={"start": "2018-11-02", "end": "2018-11-01"})
    report = add(REPORT, at=9, write_report="failed", partition_key="2018-11-01")
    add(AUDIT, state="success", hour=9)
    add(HOURLY, state="success", hour=9)
    add(REPORT, state="success", partition_key="2018-11-02")
    assert listed(session) == [("write_report", report)]
    add(REPORT, state="success", partition_key="2018-11-01")
    assert listed(session) == []


def test_the_project_s_dags_are_those_of_the_prefix() -> None:
    assert all(path.name.startswith(failures.PREFIX) for path in (ROOT / "dags").glob("*.py"))


def test_the_states_of_the_staging_tasks_are_served_by_run(client: TestClient, add: Any, session: Session) -> None:
    failed = add(stage_events="failed", stage_songs="success", create_tables="success")
    running = add(state="running", stage_events=None)
    add(AUDIT, stage_events="failed")
    session.commit()
    found = client.get("/sparkify/api/staging", params={"run": [failed, running, "deleted"]})
    assert found.json() == {
        failed: {"stage_events": "failed", "stage_songs": "success"},
        running: {"stage_events": None},
    }
    client.cookies.clear()
    assert client.get("/sparkify/api/staging", params={"run": failed}).status_code == 401


def test_without_a_failure_it_is_one_query(add: Any, session: Session) -> None:
    from sqlalchemy import event

    add(state="success", hour=5, stage_events="success")
    asked: list[str] = []
    event.listen(session.connection(), "before_cursor_execute", lambda *given: asked.append(given[2]))
    assert failures.read(session) == []
    assert len(asked) == 1
