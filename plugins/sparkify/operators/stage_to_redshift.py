"""Stage files from S3 with COPY."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sparkify.dag.flow import Flow
from sparkify.operators.base import WarehouseOperator
from sparkify.staging.rejects import RejectedRows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context

    from sparkify.interval import Period
    from sparkify.staging.by_interval import IntervalStaging
    from sparkify.staging.by_object import ObjectStaging
    from sparkify.warehouse import Warehouse

MAX_VANISHED = 0.1


class StageToRedshiftOperator(WarehouseOperator):
    """Stage files from S3, by interval or by object.

    With ``interval_column`` the source is partitioned by time. The run reads the files whose period overlaps its
    interval, replaces the rows of the interval, and leaves all others unchanged. A row outside its file's own period is
    loaded by the run that closes the period, and counted as a stray. A row whose timestamp is outside [EARLIEST,
    LATEST) of :mod:`sparkify.interval` is rejected like a row that COPY rejects. A missing file is not an error: an
    hour may have no events. A file without rows is logged as a warning and counted.

    Without it the source is a set of objects under a prefix, loaded incrementally: the run stages new and changed
    objects through a manifest, and is skipped if there are none. The table has a column ``batch_id``. An object is
    quarantined if COPY rejects one of its rows: the others are staged, and it is read again when it has changed, or
    with ``full_refresh``.

    COPY loads a temporary table first; the staging table changes in one short transaction. The staged files are
    recorded in the tables of include/sql/ddl/operations, with the rejected rows of each file's last read, even if
    they exceeded ``max_errors`` and the task failed, and with the fields of a sample of new and changed files, see
    docs/source.md.

    :param table: the staging table. (templated)
    :param bucket: the S3 bucket. (templated)
    :param key: key or prefix of the objects. With ``interval_column`` it is a strftime pattern for the start of a
        file's period: ``log_data/%Y/%m/%Y-%m-%d-events.json``. COPY takes every object whose key begins with it:
        ``events/%Y-%m-%d-%-H`` of hour 1 takes hours 10 to 19 as well, ``events/%Y-%m-%d-%-H.json.gz`` does not.
        (templated)
    :param format: COPY's data format, such as ``JSON 'auto'`` or ``JSON 'auto ignorecase'``. (templated)
    :param jsonpaths: URI of a JSONPaths file in S3, instead of ``format``. It has a path for each column of ``table``
        but the audit column, in the order of the columns. (templated)
    :param copy_options: additional options of COPY, such as ``TIMEFORMAT 'epochmillisecs'``.
    :param max_errors: rows of a period's files that may be rejected before the task fails, at most 99,999;
        ``operations.rejected_rows`` has the reasons. Only with ``interval_column``. (templated)
    :param interval_column: the column with a row's timestamp.
    :param late_before: rows of the interval before this moment that were not staged yet are counted as late: they
        arrived after their own hour was loaded, or that hour has not been loaded yet. ISO 8601; only with
        ``interval_column``. (templated)
    :param file_period: the period of one file, ``hour`` or ``day``; only with ``interval_column``.
    :param partition_column: the audit column of ``table`` that determines which run owns a row, by default
        ``interval_time``. COPY does not fill it: it is nullable or has a DEFAULT. Only with ``interval_column``.
    :param full_refresh: ``"True"`` to stage every object again; only without ``interval_column``. (templated)
    :param accept_vanished: ``"True"`` to delete the rows of files that have vanished. Otherwise the task fails if a
        period has staged rows but no files any more, or if more than ``max_vanished`` of the objects have vanished.
        (templated)
    :param max_vanished: the share of the staged objects that may have vanished, from 0 to 1, by default 0.1; only
        without ``interval_column``.
    :param manifest_bucket: the bucket for manifests; by default ``bucket``. (templated)
    :param manifest_prefix: the prefix of their keys. (templated)
    """

    template_fields: Sequence[str] = (
        *WarehouseOperator.template_fields,
        "table",
        "bucket",
        "key",
        "format",
        "jsonpaths",
        "max_errors",
        "late_before",
        "full_refresh",
        "accept_vanished",
        "manifest_bucket",
        "manifest_prefix",
    )
    ui_color = "#f9d5c4"

    def __init__(
        self,
        *,
        table: str,
        bucket: str,
        key: str,
        format: str = "JSON 'auto'",
        jsonpaths: str | None = None,
        copy_options: Sequence[str] = (),
        max_errors: int | str = 0,
        interval_column: str | None = None,
        late_before: str | None = None,
        file_period: Period | None = None,
        partition_column: str | None = None,
        full_refresh: bool | str | None = None,
        accept_vanished: bool | str = False,
        max_vanished: float | None = None,
        manifest_bucket: str | None = None,
        manifest_prefix: str = "manifests/",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        of_time = {"late_before": late_before, "file_period": file_period, "partition_column": partition_column}
        of_objects = {
            "full_refresh": full_refresh,
            "max_vanished": max_vanished,
            "manifest_bucket": manifest_bucket,
        }
        for name, value in (of_objects if interval_column else of_time).items():
            if value is not None:
                raise ValueError(
                    f"{name} {'contradicts' if interval_column else 'needs'} interval_column: "
                    "with it a source is partitioned by time, without it staged by object"
                )
        self.table = table
        self.bucket = bucket
        self.key = key
        self.format = format
        self.jsonpaths = jsonpaths
        self.copy_options = tuple(copy_options)
        self.max_errors = max_errors
        self.interval_column = interval_column
        self.late_before = late_before
        self.file_period: Period = file_period or "day"
        self.partition_column = (partition_column or "interval_time") if interval_column else "batch_id"
        self.full_refresh = full_refresh
        self.accept_vanished = accept_vanished
        self.max_vanished = MAX_VANISHED if max_vanished is None else max_vanished
        self.manifest_bucket = manifest_bucket
        self.manifest_prefix = manifest_prefix

    @property
    def flow(self) -> Flow:
        return Flow(writes=self.table, bucket=self.bucket, key=self.key)

    def work(self, context: Context) -> dict[str, Any]:
        with self.warehouse() as warehouse:
            staged = self._staging(warehouse, context["dag_run"].run_id).run()
            warehouse.analyze(self.table, staged["rows"])
            return staged

    def _staging(self, warehouse: Warehouse, run_id: str) -> IntervalStaging | ObjectStaging:
        from sparkify.s3 import Bucket
        from sparkify.staging.by_interval import IntervalStaging
        from sparkify.staging.by_object import ObjectStaging
        from sparkify.staging.table import StagingTable

        data_format = f"JSON '{self.jsonpaths}'" if self.jsonpaths else self.format
        table = StagingTable(
            warehouse, self.table, self.partition_column, f"FORMAT AS {data_format}", self.copy_options
        )
        bucket = Bucket(self.bucket, self.aws_conn_id)
        rejects = RejectedRows(self.table, run_id)
        accept_vanished = _is_true(self.accept_vanished)
        if self.interval_column:
            return IntervalStaging(
                table,
                bucket,
                self.key,
                self.interval,
                interval_column=self.interval_column,
                file_period=self.file_period,
                late_before=self.late_before,
                max_errors=int(self.max_errors),
                accept_vanished=accept_vanished,
                run_id=run_id,
                rejects=rejects,
            )
        return ObjectStaging(
            table,
            bucket,
            self.key,
            manifests=Bucket(self.manifest_bucket or self.bucket, self.aws_conn_id),
            manifest_prefix=self.manifest_prefix,
            refresh=_is_true(self.full_refresh),
            max_vanished=1 if accept_vanished else self.max_vanished,
            rejects=rejects,
        )


def _is_true(value: bool | str | None) -> bool:
    return str(value).lower() == "true"
