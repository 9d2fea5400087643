"""### Activity on a code hosting site, hour by hour.

A second source, written from README and docs only. Events arrive in one compressed file per hour,
`events/2015-01-01-0.json.gz`, with nested objects: a JSONPaths file has the path of each column.

**What a run does.** It stages the events of its interval and merges them into a fact, two dimensions, the history of
repositories' names and a table of daily figures, then checks them. It is idempotent. A file arrives some minutes after
its hour, so runs start at a quarter past, and each covers the whole hour that it closes. The run that closes a day
covers the day again, for files that arrived later.

**When a task fails**, its log names the file, the statement or the check, and what to do. Clearing a task is always
safe.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from airflow.sdk import DAG, CronDataIntervalTimetable, Param

from sparkify.dag.defaults import DEFAULT_ARGS
from sparkify.dag.run import interval_of_run
from sparkify.operators import (
    CreateTablesOperator,
    DataQualityOperator,
    LoadAggregateOperator,
    LoadDimensionOperator,
    LoadFactOperator,
    LoadHistoryOperator,
    StageToRedshiftOperator,
)

HERE = Path(__file__).parent
INCLUDE = HERE.parents[1] / "include"
CHECKS = str(HERE / "checks")
BUCKET = "{{ var.value.sparkify_bucket }}"
MODE = "{{ 'rebuild' if params.full_refresh else 'merge' }}"


with DAG(
    dag_id="activity",
    description="Activity on a code hosting site: S3 to Redshift, staged, loaded as a star schema, checked. Hourly.",
    doc_md=__doc__,
    schedule=CronDataIntervalTimetable("15 * * * *", timezone="UTC"),
    start_date=datetime(2015, 1, 1, tzinfo=UTC),
    catchup=False,
    tags=["activity", "warehouse", "hourly"],
    params={
        "start": Param(None, type=["null", "string"], format="date-time"),
        "end": Param(None, type=["null", "string"], format="date-time"),
        "full_refresh": Param(False, type="boolean"),
        "max_errors": Param(0, type="integer", minimum=0, maximum=99_999),
        "accept_vanished": Param(False, type="boolean"),
    },
    template_searchpath=[str(HERE / "sql"), str(INCLUDE / "sql")],
    user_defined_macros={"interval_of_run": interval_of_run},
    default_args={
        **DEFAULT_ARGS,
        "interval_start": "{{ interval_of_run(dag_run, params).closing('hour').closing('day').start }}",
        "interval_end": "{{ interval_of_run(dag_run, params).end }}",
    },
) as dag:
    create_tables = CreateTablesOperator(
        task_id="create_tables",
        ddl=[str(INCLUDE / "sql" / "ddl" / "operations"), str(HERE / "sql" / "ddl")],
        checks=CHECKS,
    )
    stage_activity = StageToRedshiftOperator(
        task_id="stage_activity",
        table="staging_activity",
        bucket=BUCKET,
        key="events/%Y-%m-%d-%-H.json.gz",
        file_period="hour",
        interval_column="created_at",
        jsonpaths=f"s3://{BUCKET}/jsonpaths/activity.json",
        copy_options=["GZIP", "TIMEFORMAT 'auto'", "COMPUPDATE OFF", "STATUPDATE OFF"],
        late_before="{{ interval_of_run(dag_run, params).start }}",
        max_errors="{{ params.max_errors }}",
        accept_vanished="{{ params.accept_vanished }}",
    )
    load_activities = LoadFactOperator(
        task_id="load_activities",
        table="activities",
        keys=["event_id"],
        sql="load/activities.sql",
        mode=MODE,
        changes="operations.changed_activities",
    )
    load_actors = LoadDimensionOperator(
        task_id="load_actors", table="actors", keys=["actor_id"], sql="load/actors.sql", mode=MODE
    )
    load_repositories = LoadDimensionOperator(
        task_id="load_repositories",
        table="repositories",
        keys=["repository_id"],
        sql="load/repositories.sql",
        mode=MODE,
    )
    load_repository_names = LoadHistoryOperator(
        task_id="load_repository_names",
        table="repository_names",
        keys=["repository_id", "valid_from"],
        sql="load/repository_names.sql",
        mode=MODE,
    )
    load_daily_types = LoadAggregateOperator(
        task_id="load_daily_types",
        table="daily_types",
        keys=["day", "event_type"],
        sql="load/daily_types.sql",
        facts="activities",
        changes="operations.changed_activities",
        mode=MODE,
    )
    data_quality = DataQualityOperator(task_id="data_quality", checks=CHECKS)

    loads = [load_activities, load_actors, load_repositories, load_repository_names]
    create_tables >> stage_activity >> loads >> data_quality
    load_activities >> load_daily_types >> data_quality
