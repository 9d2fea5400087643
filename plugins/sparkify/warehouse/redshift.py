"""Amazon Redshift, through the amazon provider's hook and redshift_connector."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from sparkify.warehouse.base import REJECTS_TOLD, CopyFailedError, Loaded, RejectedRow, Warehouse, WarehouseError

if TYPE_CHECKING:
    from collections.abc import Sequence

# The extra field of the aws connection that names the role COPY reads S3 with: an ARN, or "default".
COPY_ROLE = "copy_iam_role"

# How many rejected rows the message of a failed COPY shows.
_SHOWN_REJECTS = 3
# By how much the clocks of the cluster and of this machine may differ.
_CLOCKS_DIFFER = timedelta(minutes=10)


class _CopyConflictError(CopyFailedError):
    """A COPY failed because of a concurrent transaction."""


class Redshift(Warehouse):
    """A session with Amazon Redshift, provisioned or serverless."""

    engine = "redshift"
    parameter = "?"
    _last_copy = 0  # the query id of the session's last COPY

    def _connect(self) -> Any:
        from airflow.providers.amazon.aws.hooks.redshift_sql import RedshiftSQLHook

        hook = RedshiftSQLHook(redshift_conn_id=self.connection.conn_id, aws_conn_id=self.aws_conn_id)
        return hook.get_conn()

    def _execute(self, cursor: Any, statement: str, parameters: Sequence[Any] | None = None) -> None:
        # The client rewrites parameters even where there are none: under its default style a LIKE '%x%' is an error.
        cursor.paramstyle = "qmark"
        cursor.execute(statement, parameters)

    def _copy(self, command: str) -> Loaded:
        from redshift_connector import Error

        started = datetime.now(UTC)
        with self._session.cursor() as cursor:
            try:
                self._execute(cursor, command)
            except Error as error:
                self._rollback()
                raise self._failure(error, started) from None  # the cause would show the command
        # https://docs.aws.amazon.com/redshift/latest/dg/PG_LAST_COPY_COUNT.html
        (rows, self._last_copy), *_ = self.query("SELECT pg_last_copy_count(), pg_last_copy_id()")
        of_copy = f"query_id = {self._last_copy:d}"
        ((rejected,),) = self.query(f"SELECT COUNT(*) FROM sys_load_error_detail WHERE {of_copy}")
        return Loaded(rows, rejected, self._rejects(of_copy) if rejected else ())

    def _rejects(self, of_copy: str) -> list[RejectedRow]:
        """Return what a COPY has rejected.

        The view has not the raw texts that STL_LOAD_ERRORS has, but that one knows nothing of serverless workgroups.
        https://docs.aws.amazon.com/redshift/latest/dg/SYS_LOAD_ERROR_DETAIL.html

        :param of_copy: the predicate that finds the COPY.
        """
        found = self.query(
            "SELECT TRIM(file_name), line_number, TRIM(column_name), error_code, TRIM(error_message) "
            f"FROM sys_load_error_detail WHERE {of_copy} ORDER BY file_name, line_number LIMIT {REJECTS_TOLD}"
        )
        return [RejectedRow(*row) for row in found]

    def _failure(self, error: Exception, started: datetime) -> CopyFailedError:
        # No function tells the id of a COPY that failed: it is the session's last one, and later than those that did
        # not fail. Other sessions had the same process id once.
        rejects = self._rejects(
            "query_id = (SELECT MAX(query_id) FROM sys_load_error_detail WHERE session_id = pg_backend_pid() "
            f"AND query_id > {self._last_copy:d} AND start_time > '{started - _CLOCKS_DIFFER:%Y-%m-%d %H:%M:%S}')"
        )
        message = error.args[0].get("M") if error.args and isinstance(error.args[0], dict) else str(error)
        lines = [
            f"{row.file_name} line {row.line_number}, column {row.column_name}: error {row.error_code}, {row.reason}"
            for row in rejects[:_SHOWN_REJECTS]
        ]
        kind = _CopyConflictError if self._is_conflict(error) else CopyFailedError
        return kind("\n".join([f"COPY failed: {message}", *lines]), rejects)

    def _authorization(self) -> str:
        from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook
        from airflow.providers.amazon.aws.utils.redshift import build_credentials_block
        from airflow.sdk.log import mask_secret

        hook = AwsBaseHook(aws_conn_id=self.aws_conn_id)
        if role := hook.conn_config.extra_config.get(COPY_ROLE):
            return "IAM_ROLE default" if role == "default" else f"IAM_ROLE '{role}'"
        if hook.get_session().get_credentials() is None:
            raise WarehouseError(
                f"COPY has nothing to read S3 with: the Airflow connection {self.aws_conn_id!r} names no role, and "
                f"there are no AWS credentials. Name a role in its extra field {COPY_ROLE}: an ARN, or 'default' for "
                "the cluster's own."
            )
        credentials = hook.get_credentials()
        mask_secret(credentials.secret_key)
        mask_secret(credentials.token)
        return f"CREDENTIALS '{build_credentials_block(credentials)}'"

    def _is_conflict(self, error: BaseException) -> bool:
        if isinstance(error, _CopyConflictError):
            return True
        fields = error.args[0] if error.args and isinstance(error.args[0], dict) else {}
        # https://docs.aws.amazon.com/redshift/latest/dg/c_serial_isolation.html
        return fields.get("C") in {"40001", "40P01"} or "Serializable isolation violation" in str(error)

    def _is_unreachable(self, error: BaseException) -> bool:
        from redshift_connector import InterfaceError, OperationalError

        return isinstance(error, InterfaceError | OperationalError)
