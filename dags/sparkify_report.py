"""### Sparkify's daily report

Writes a report about one day (UTC) of the warehouse to S3: plays, listeners, songs, artists, places, and a comparison
with the two previous weeks. It is one self-contained HTML file.

**What a run does.** It reads the rows of the day that is its partition key, and writes
`s3://<sparkify_bucket>/reports/2018/11/2018-11-01.html`. The DAG is idempotent: a run of the same day only overwrites
that report.

**When it runs.** When a whole day is loaded. `sparkify_warehouse` is hourly, but publishes an event of the asset
`sparkify.days` only when a day is loaded and its checks have passed, with the day as the partition key. So a day's 24
runs, or a backfill of them, or a range that covers it, produce one report, in any order: the run that closes the day
covers all of it. If an hour of a past day is reloaded, the day's report is written again.

A day that fails its checks has no new report until they pass. Events are missed while this DAG is paused.

**A report of any day.** Trigger the DAG with the day as the partition key: `2018-11-01`. No data is loaded for it; a
day without data is marked in its report. The report of today shows up to which hour it is loaded, and compares it with
the same part of other days; it is written again when the day is complete.

**When a task fails**, its log ends with the error. An invalid day fails at once; the warehouse and S3 are retried, unless
the database or S3 rejected what was asked for.

| Task | What it means | What to do |
|---|---|---|
| write_report: not a date | the partition key is missing or invalid: expected a day from 1970 to 2199 | trigger the DAG again with a day such as `2018-11-01`: clearing the task cannot change it |
| write_report: the day has not begun | the partition key is a day in the future | trigger the DAG again with an earlier day |
| write_report: the warehouse | it is unreachable, or has no tables yet | check the connection `redshift`; run `sparkify_warehouse` once; clear the task |
| write_report: S3 | the bucket is not writable | check the variable `sparkify_bucket` and the permission of the connection `aws` to write `reports/`; clear the task |

Clearing a task is always safe. **Connections:** `redshift` and `aws`. **Variable:** `sparkify_bucket`.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from airflow.sdk import DAG, PartitionedAssetTimetable, StartOfDayMapper

sys.path.insert(0, str(Path(__file__).parents[1] / "plugins"))  # the operators of this commit: docs/deploy.md

from sparkify.alerts import AlertNotifier, deadline
from sparkify.dag.assets import DAYS, source
from sparkify.dag.defaults import DEFAULT_ARGS
from sparkify.dag.run import day_of_run
from sparkify.operators import ReportOperator

INCLUDE = Path(__file__).parents[1] / "include"
ALERT = AlertNotifier()

with DAG(
    dag_id="sparkify_report",
    dag_display_name="Sparkify warehouse daily report",
    description="A report of each day, written to S3 when the day is loaded and its checks have passed.",
    doc_md=__doc__,
    # The mapper keeps the key unchanged, and rejects invalid dates.
    schedule=PartitionedAssetTimetable(
        assets=DAYS, default_partition_mapper=StartOfDayMapper(input_format="%Y-%m-%d", timezone="UTC")
    ),
    start_date=datetime(2018, 11, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,  # two runs of one day: the later one has read newer data, and must write last
    on_failure_callback=ALERT.run_failed,
    deadline=deadline(timedelta(hours=1)),
    tags=["sparkify", "report", "daily"],
    template_searchpath=[str(INCLUDE / "sql"), str(INCLUDE / "reports")],
    user_defined_macros={"day_of_run": day_of_run},
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
            "report/metrics.sql",
            "report/hours.sql",
            "report/songs.sql",
            "report/artists.sql",
            "report/locations.sql",
            "report/sources.sql",
        ],
        template="daily.html",
        metrics=str(INCLUDE / "sql" / "metrics"),
        bucket="{{ var.value.sparkify_bucket }}",
        key="reports/%Y/%m/%Y-%m-%d.html",
        outlets=[source("reports")],
        on_success_callback=ALERT,
    )
