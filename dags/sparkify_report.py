"""### Sparkify's daily report

Writes a page about one day (UTC) of the warehouse to S3: plays, listeners, songs, artists, places, and how the day
compares with the two weeks before. It is one file, to be opened in a browser, mailed or printed.

**What a run does.** It reads the day that is its partition key, and writes
`s3://<sparkify_bucket>/reports/2018/11/2018-11-01.html`. A run of the same day replaces that page; nothing else is
touched.

**When it runs.** The DAG waits for whole days. `sparkify_warehouse` is hourly, but an event of the asset
`sparkify.days` comes only when a day is loaded and its checks hold, with the day as its partition key. So a day's 24
runs, or a backfill of them, or a range that covers it, make one report, whatever their order: the run that closes the
day covers all of it. When an hour of a day that is over is loaded again, the day's report is written again.

A day that fails its checks has no new report until they hold. While this DAG is paused, events pass it by.

**A report of any day.** Trigger the DAG with the day as the partition key: `2018-11-01`. Nothing is loaded for it; a
day of which the warehouse knows nothing gets a page that says so. The report of today says up to which hour it is
loaded, and compares it with no whole day; when the day is complete, it is written again.

**When a task fails**

| Task | What it means | What to do |
|---|---|---|
| write_report: not a date | its partition key is missing, or is not a day from 1970 to 2199 | trigger it again with a day such as `2018-11-01` |
| write_report: the day has not begun | its partition key is a day in the future | trigger it again with an earlier day |
| write_report: the warehouse | it cannot be reached, or has no tables yet | check the connection `redshift`; run `sparkify_warehouse` once; clear the task |
| write_report: S3 | the bucket cannot be written to | check the variable `sparkify_bucket` and the rights of the connection `aws` to write `reports/`; clear the task |

Clearing a task is always safe. **Connections:** `redshift` and `aws`. **Variable:** `sparkify_bucket`.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from airflow.sdk import DAG, PartitionedAssetTimetable, StartOfDayMapper

from sparkify import interval
from sparkify.alerts import AlertNotifier, deadline
from sparkify.dag.assets import DAYS
from sparkify.dag.defaults import DEFAULT_ARGS
from sparkify.operators import ReportOperator

INCLUDE = Path(__file__).parents[1] / "include"
ALERT = AlertNotifier()

with DAG(
    dag_id="sparkify_report",
    dag_display_name="Sparkify daily report",
    description="A page about each day of the warehouse, written to S3 when the day is loaded and checked.",
    doc_md=__doc__,
    # The mapper keeps the key as it is, and refuses what is not a date.
    schedule=PartitionedAssetTimetable(
        assets=DAYS, default_partition_mapper=StartOfDayMapper(input_format="%Y-%m-%d", timezone="UTC")
    ),
    start_date=datetime(2018, 11, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,  # two of one day: the later one has seen more, and must write last
    deadline=deadline(timedelta(hours=1)),
    tags=["sparkify", "report", "daily"],
    template_searchpath=[str(INCLUDE / "sql"), str(INCLUDE / "reports")],
    user_defined_macros={"day_of_run": interval.day_of_run},
    default_args={
        **DEFAULT_ARGS,
        "execution_timeout": timedelta(minutes=30),
        "on_failure_callback": ALERT,
        "interval_start": "{{ day_of_run(dag_run).start }}",
        "interval_end": "{{ day_of_run(dag_run).end }}",
    },
) as dag:
    ReportOperator(
        task_id="write_report",
        queries=[
            "report/days.sql",
            "report/hours.sql",
            "report/songs.sql",
            "report/artists.sql",
            "report/locations.sql",
            "report/sources.sql",
        ],
        template="daily.html",
        bucket="{{ var.value.sparkify_bucket }}",
        key="reports/%Y/%m/%Y-%m-%d.html",
        on_success_callback=ALERT,
    )
