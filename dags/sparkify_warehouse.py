"""### Sparkify's warehouse, hour by hour

Loads the events of one interval, and new or changed songs, from S3 into Redshift, and checks their data quality.

**What a run does.** It owns its data interval (one hour), or the range of its params `start` and `end`. It only replaces
the rows of that interval, and what is computed from them: the spans of `users_history`, the days and sessions of the
aggregates. Runs are idempotent: in any order, repeated or in parallel, they converge to the same tables.
The run that closes a day also loads the day's late-arriving events.

**Load history.** Trigger the DAG with `start` and `end`: one run, one set of statements, up to ten years between 1970
and 2200. Name the run in the form's advanced options: the list of runs shows run ids, not params. Or use a backfill,
which creates one run per hour.

**When a task fails**, its log ends with the error and the remedy. What a retry may repair (the network, S3, a full or
restarting database, a conflict) was retried three times; errors in data, SQL and params fail at once.

| Task | What it means | What to do |
|---|---|---|
| any task: invalid range | only one of `start` and `end`, an end that is not after the start, or no interval at all | trigger the DAG again with valid params: clearing a task cannot change them |
| create_tables | the warehouse is unreachable, a file of DDL or of checks is invalid, the code is older than the warehouse, or `recreate_tables` was not confirmed | check the connection `redshift`; resume the cluster; correct the file named in the log, or deploy the newer code; clear the task. To apply all schema changes (docs/schema.md), or to recreate the tables, trigger the DAG again with the form |
| stage_events | S3 returned an error, or rows were rejected | the log and operations.rejected_rows have the file, the line, the column and the reason; correct the file and clear the task. Or load the other rows: trigger the DAG again with `start`, `end` and `max_errors`; clearing the task cannot change params |
| stage_events or stage_songs: vanished | files have vanished from S3 whose rows are staged (of songs: more than 10 %) | nothing was deleted. Restore the files and clear the task; or, to delete the rows, trigger the DAG again with `start`, `end` and `accept_vanished` |
| stage_songs | S3 returned an error | the log has the object and the reason; clear the task. A malformed song does not fail the task: the object is quarantined, the others are loaded, and the audit warns. Correct the object, and the next run loads it. If the table was wrong, run with `full_refresh` |
| load_... | the database returned an error | the log has the statement; correct the SQL or the table if it was rejected; clear the task |
| load_events, or an aggregate after it | the same; the aggregates are behind the events until it is repaired | clear the task and its downstream tasks. Nothing is lost: an aggregate catches up with all changes of `events` that it has not loaded (operations.changed_events) |
| load_users_history | the same; who was paying when is as of the last successful run | clear the task |
| data_quality | a check failed | the log has each failed check, its observed result and what to do; nothing is rolled back, but the day is not published. If the app has renamed or changed a field of the source, correct the file (the reconciliation loads its day again), or declare the field (docs/source.md) and clear the task |

Clearing a task is always safe, and runs it with the same params. **Connections:** `redshift` (type redshift, or postgres for a stand-in) and `aws`.
**Variable:** `sparkify_bucket`, the bucket with `log_data/` and `song_data/`. **Alerts** are sent to every configured
channel: Slack, e-mail and Amazon SNS (docs/alerts.md).
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from airflow.sdk import DAG, CronDataIntervalTimetable, Param, TaskGroup, TriggerRule

sys.path.insert(0, str(Path(__file__).parents[1] / "plugins"))  # the operators of this commit: docs/deploy.md

from sparkify.alerts import AlertNotifier, deadline
from sparkify.dag.assets import DAYS, source, table
from sparkify.dag.defaults import DEFAULT_ARGS
from sparkify.dag.run import interval_of_run
from sparkify.operators import (
    CreateTablesOperator,
    DataQualityOperator,
    LoadAggregateOperator,
    LoadDimensionOperator,
    LoadFactOperator,
    LoadHistoryOperator,
    PublishDaysOperator,
    StageToRedshiftOperator,
)
from sparkify.operators.create_tables import CONFIRMATION

INCLUDE = Path(__file__).parents[1] / "include"
CHECKS = str(INCLUDE / "checks")
# The tables, and the views that read them.
DDL = [str(INCLUDE / "sql" / folder) for folder in ("ddl", "views", "metrics")]
INDEXES = ["postgres/indexes.sql"]
BUCKET = "{{ var.value.sparkify_bucket }}"
ALERT = AlertNotifier()
# The changes that aggregates have to load.
CHANGES = "operations.changed_events"
CHANGES_OF_SONGS = "operations.changed_daily_songs"


with DAG(
    dag_id="sparkify_warehouse",
    dag_display_name="Sparkify warehouse",
    description="Event logs and song metadata: S3 to Redshift, staged, loaded as a star schema, checked. Hourly.",
    doc_md=__doc__,
    schedule=CronDataIntervalTimetable("@hourly", timezone="UTC"),
    start_date=datetime(2018, 11, 1, tzinfo=UTC),
    catchup=False,  # history is loaded explicitly: by a backfill, or by one run over a range
    max_active_runs=6,  # limits the load on the warehouse; any number is correct
    on_failure_callback=ALERT.run_failed,
    deadline=deadline(timedelta(hours=1)),
    tags=["sparkify", "warehouse", "hourly"],
    params={
        "start": Param(
            None,
            type=["null", "string"],
            format="date-time",
            title="Start of the range (UTC)",
            description="Inclusive. Leave start and end empty to load the run's own data interval.",
        ),
        "end": Param(
            None,
            type=["null", "string"],
            format="date-time",
            title="End of the range (UTC)",
            description="Exclusive.",
        ),
        "full_refresh": Param(
            False,
            type="boolean",
            title="Full refresh",
            description="Stage every song again, and rebuild facts and dimensions from all staged rows.",
        ),
        "max_errors": Param(
            0,
            type="integer",
            minimum=0,
            maximum=99_999,  # COPY fails at one more, and the maximum of Redshift's MAXERROR is 100,000
            title="Rejected events allowed",
            description="Events of a day's files that may be rejected (missing or invalid timestamp, missing key, malformed, too "
            "long) before staging fails. operations.rejected_rows has file, line, column and reason. Songs do not count: an "
            "object that cannot be loaded is quarantined, and the others are loaded.",
        ),
        "schema_changes": Param(
            "additive",
            type="string",
            enum=["additive", "all", "refuse"],
            title="Schema changes",
            description="If include/sql/ddl differs from the warehouse: apply additive changes only (new tables, new columns, "
            "longer texts), apply all, which may rebuild tables, or refuse to run.",
        ),
        "accept_vanished": Param(
            False,
            type="boolean",
            title="Delete the rows of vanished files",
            description="If files have vanished from S3 whose rows are staged: delete the rows. Otherwise staging fails, and "
            "nothing is deleted.",
        ),
        "recreate_tables": Param(
            None,
            type=["null", "string"],
            pattern=f"^({CONFIRMATION})?$",
            title="Drop and recreate all tables",
            description=f"Deletes all data except that of the range that this run loads. Type '{CONFIRMATION}' to confirm.",
        ),
    },
    template_searchpath=[str(INCLUDE / "sql")],
    user_defined_macros={"interval_of_run": interval_of_run},
    default_args={
        **DEFAULT_ARGS,
        "on_failure_callback": ALERT,
        # The run that closes a day reprocesses the whole day, to load late-arriving events.
        "interval_start": "{{ interval_of_run(dag_run, params).closing('day').start }}",
        "interval_end": "{{ interval_of_run(dag_run, params).end }}",
        "schema_changes": "{{ params.schema_changes }}",
        # A task without new data is skipped; downstream tasks still run.
        "trigger_rule": TriggerRule.NONE_FAILED,
    },
) as dag:
    create_tables = CreateTablesOperator(
        task_id="create_tables",
        ddl=DDL,
        postgres_sql=INDEXES,
        recreate="{{ params.recreate_tables or '' }}",
        checks=CHECKS,
    )

    with TaskGroup("stage", tooltip="Stage files from S3", prefix_group_id=False) as stage:
        stage_events = StageToRedshiftOperator(
            task_id="stage_events",
            table="staging_events",
            bucket=BUCKET,
            key="log_data/%Y/%m/%Y-%m-%d-events.json",
            format="JSON 'auto ignorecase'",
            copy_options=["TIMEFORMAT 'epochmillisecs'", "COMPUPDATE OFF", "STATUPDATE OFF"],
            interval_column="ts",
            late_before="{{ interval_of_run(dag_run, params).start }}",
            max_errors="{{ params.max_errors }}",
            accept_vanished="{{ params.accept_vanished }}",
            file_period="day",
            inlets=[source("log_data")],
            outlets=[table("staging_events")],
        )
        stage_songs = StageToRedshiftOperator(
            task_id="stage_songs",
            table="staging_songs",
            bucket=BUCKET,
            key="song_data/",
            format="JSON 'auto'",
            copy_options=["COMPUPDATE OFF", "STATUPDATE OFF"],
            full_refresh="{{ params.full_refresh }}",
            accept_vanished="{{ params.accept_vanished }}",
            max_vanished=0.1,
            inlets=[source("song_data")],
            outlets=[table("staging_songs")],
        )

    load_args = {
        "mode": "{{ 'rebuild' if params.full_refresh else 'merge' }}",
        "ddl": DDL,
        "postgres_sql": INDEXES,
    }

    with TaskGroup(
        "load",
        tooltip="Load the star schema from the staging tables",
        prefix_group_id=False,
        # mypy infers the parameter's type from its converter, copy.deepcopy.
        default_args=load_args,  # type: ignore[arg-type]
    ) as load:
        load_songs = LoadDimensionOperator(
            task_id="load_songs",
            table="songs",
            keys=["song_id"],
            sql="load/songs.sql",
            source="staging_songs",
            inlets=[table("staging_songs")],
            outlets=[table("songs")],
        )
        load_artists = LoadDimensionOperator(
            task_id="load_artists",
            table="artists",
            keys=["artist_id"],
            sql="load/artists.sql",
            source="staging_songs",
            inlets=[table("staging_songs")],
            outlets=[table("artists")],
        )
        load_songplays = LoadFactOperator(
            task_id="load_songplays",
            table="songplays",
            keys=["songplay_id"],
            sql="load/songplays.sql",
            lookup="songs",
            lookup_column="song_batch_id",
            inlets=[table("staging_events"), table("songs")],
            outlets=[table("songplays")],
        )
        load_users = LoadDimensionOperator(
            task_id="load_users",
            table="users",
            keys=["user_id"],
            sql="load/users.sql",
            inlets=[table("staging_events")],
            outlets=[table("users")],
        )
        load_time = LoadDimensionOperator(
            task_id="load_time",
            table="time",
            keys=["start_time"],
            sql="load/time.sql",
            inlets=[table("staging_events")],
            outlets=[table("time")],
        )

    with TaskGroup(
        "marts",
        tooltip="Load the history of users and the aggregates of events",
        prefix_group_id=False,
        default_args=load_args,  # type: ignore[arg-type]
    ) as marts:
        load_users_history = LoadHistoryOperator(
            task_id="load_users_history",
            table="users_history",
            keys=["user_id", "valid_from"],
            sql="load/users_history.sql",
            inlets=[table("staging_events")],
            outlets=[table("users_history")],
        )
        load_events = LoadFactOperator(
            task_id="load_events",
            table="events",
            keys=["session_id", "item_in_session"],
            sql="load/events.sql",
            changes=CHANGES,
            inlets=[table("staging_events")],
            outlets=[table("events")],
        )
        load_sessions = LoadAggregateOperator(
            task_id="load_sessions",
            table="sessions",
            keys=["session_id"],
            sql="load/sessions.sql",
            facts="events",
            changes=CHANGES,
            inlets=[table("events")],
            outlets=[table("sessions")],
        )
        load_daily_activity = LoadAggregateOperator(
            task_id="load_daily_activity",
            table="daily_activity",
            keys=["day", "level"],
            sql="load/daily_activity.sql",
            facts="events",
            changes=CHANGES,
            inlets=[table("events")],
            outlets=[table("daily_activity")],
        )
        load_daily_songs = LoadAggregateOperator(
            task_id="load_daily_songs",
            table="daily_songs",
            keys=["day", "song_key"],
            sql="load/daily_songs.sql",
            facts="events",
            changes=CHANGES,
            own_changes=CHANGES_OF_SONGS,
            inlets=[table("events")],
            outlets=[table("daily_songs")],
        )
        load_monthly_songs = LoadAggregateOperator(
            task_id="load_monthly_songs",
            table="monthly_songs",
            keys=["month", "song_key"],
            sql="load/monthly_songs.sql",
            facts="daily_songs",
            changes=CHANGES_OF_SONGS,
            inlets=[table("daily_songs")],
            outlets=[table("monthly_songs")],
        )
        load_daily_users = LoadAggregateOperator(
            task_id="load_daily_users",
            table="daily_users",
            keys=["day", "user_id"],
            sql="load/daily_users.sql",
            facts="events",
            changes=CHANGES,
            inlets=[table("events")],
            outlets=[table("daily_users")],
        )
        load_hourly_plays = LoadAggregateOperator(
            task_id="load_hourly_plays",
            table="hourly_plays",
            keys=["hour", "level", "browser"],
            sql="load/hourly_plays.sql",
            facts="events",
            changes=CHANGES,
            inlets=[table("events")],
            outlets=[table("hourly_plays")],
        )

    with TaskGroup(
        "publish",
        tooltip="Check data quality, then publish completed days as asset events",
        prefix_group_id=False,
    ):
        data_quality = DataQualityOperator(
            task_id="data_quality",
            checks=CHECKS,
            on_success_callback=ALERT,
        )
        publish_days = PublishDaysOperator(
            task_id="publish_days", outlets=[DAYS], on_success_callback=ALERT, on_skipped_callback=ALERT
        )

    create_tables >> [stage_events, stage_songs]
    stage_songs >> [load_songs, load_artists]
    [stage_events, load_songs, load_artists] >> load_songplays
    stage_events >> [load_users, load_time, load_users_history, load_events]
    load_events >> [load_sessions, load_daily_activity, load_daily_songs, load_daily_users, load_hourly_plays]
    load_daily_songs >> load_monthly_songs
    (
        [
            load_songplays,
            load_users,
            load_time,
            load_users_history,
            load_sessions,
            load_daily_activity,
            load_monthly_songs,
            load_daily_users,
            load_hourly_plays,
        ]
        >> data_quality
        >> publish_days
    )
