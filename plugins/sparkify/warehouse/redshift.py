"""Amazon Redshift, through the amazon provider's hook and redshift_connector."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

import tenacity

from sparkify.warehouse.copy_result import MAX_REPORTED_REJECTS, CopyFailedError, CopyResult, RejectedRow
from sparkify.warehouse.errors import DUPLICATES, WarehouseError, fields, is_terminal
from sparkify.warehouse.iam import with_temporary_password
from sparkify.warehouse.session import Warehouse
from sparkify.warehouse.unreachable import CONNECT_TIMEOUT, Reason, of_os_error, of_sqlstate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook

# The extra field of the aws connection that names the role COPY reads S3 with: an ARN, or "default".
COPY_ROLE = "copy_iam_role"

# Defaults for redshift_connector, unless the extra field of the connection sets others. During a long COPY the
# connection is idle, and devices in between, such as a NAT gateway after 350 s, drop it: without keep-alives the client
# then waits for hours. https://docs.aws.amazon.com/redshift/latest/dg/queries-troubleshooting-query-hangs.html
CLIENT = {
    "application_name": "sparkify",  # in SYS_SESSION_HISTORY; else the name of the module that calls the client
    "tcp_keepalive_idle": 60,
    "tcp_keepalive_interval": 30,
    "tcp_keepalive_count": 5,
    "timeout": CONNECT_TIMEOUT,
}

# How many rejected rows the message of a failed COPY shows.
_SHOWN_REJECTS = 3
# The detail of an error with the object that COPY could not decompress; MAXERROR does not cover it, and no view lists
# it. https://github.com/snowplow/snowplow/pull/1265 has a complete example.
_UNREADABLE = re.compile(r"code:\s+(9001)\s+context:\s+S3 key being read : (\S[^\n]*?)\s*\n")
# Tolerated difference between the clocks of the cluster and of this machine.
_CLOCKS_DIFFER = timedelta(minutes=10)


class _CopyConflictError(CopyFailedError):
    """A COPY failed because of a concurrent transaction."""


class Redshift(Warehouse):
    """A session with Amazon Redshift, provisioned or serverless."""

    engine = "redshift"
    placeholder = "?"
    loggers = ("redshift_connector", "redshift_connector.core", "redshift_connector.cursor")
    _last_copy = 0  # the query id of the session's last COPY

    def _hook(self) -> Any:
        from airflow.providers.amazon.aws.hooks.redshift_sql import RedshiftSQLHook

        return RedshiftSQLHook(redshift_conn_id=self.connection.conn_id, aws_conn_id=self.aws_conn_id)

    def _connect(self) -> Any:
        hook = self._hook()
        if self.connection.extra_dejson.get("iam"):
            hook.conn = with_temporary_password(hook)
        connection = hook.conn
        self.secrets.add(connection.password)
        given = connection.extra_dejson
        connection.extra = json.dumps({**CLIENT, **given})
        # A single attempt: the hook would retry a wrong password for 15 s. Airflow retries the task.
        session = type(hook).get_conn.retry_with(stop=tenacity.stop_after_attempt(1))(hook)
        if "timeout" not in given:
            session._usock.settimeout(None)  # otherwise it would apply to each response, and a COPY takes minutes
        return session

    def _execute(self, cursor: Any, statement: str, values: Sequence[Any] | None = None) -> None:
        # Older clients (2.0) look for parameters in a statement without any: in their default style LIKE '%x%' is an
        # error. https://github.com/aws/amazon-redshift-python-driver/issues/156
        cursor.paramstyle = "qmark"
        cursor.execute(statement, values)

    def _begin_read_only(self, seconds: float) -> None:
        """Begin it.

        https://docs.aws.amazon.com/redshift/latest/dg/r_BEGIN.html,
        https://docs.aws.amazon.com/redshift/latest/dg/r_statement_timeout.html
        """
        self._session.autocommit = True  # otherwise the client begins a read-write transaction
        with self._session.cursor() as cursor:
            self._execute(cursor, "BEGIN READ ONLY")
            self._execute(cursor, f"SET statement_timeout TO {seconds * 1000:.0f}")

    def copy(self, target: str, source: str, options: Sequence[str] = ()) -> CopyResult:
        """Load S3 objects into a table with COPY, see :meth:`Warehouse.copy`.

        COPY expects the bucket in the cluster's region. If it is in another, the statement must have REGION:
        https://docs.aws.amazon.com/redshift/latest/dg/copy-parameters-data-source-s3.html. The bucket is in the region
        of the ``aws`` connection, through which the operators list it.
        """
        region = self._aws.region_name
        if region and not any(option.upper().startswith("REGION") for option in options):
            options = [*options, f"REGION '{region}'"]
        return super().copy(target, source, options)

    def _copy(self, command: str) -> CopyResult:
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
        return CopyResult(rows, rejected, self._rejects(of_copy) if rejected else (), self._last_copy)

    def _rejects(self, of_copy: str) -> list[RejectedRow]:
        """Return the rejected rows of a COPY.

        The view lacks the raw lines of STL_LOAD_ERRORS, which is not available in serverless workgroups.
        https://docs.aws.amazon.com/redshift/latest/dg/SYS_LOAD_ERROR_DETAIL.html

        :param of_copy: the predicate that selects the COPY.
        """
        select = (
            "SELECT TRIM(file_name), line_number, TRIM(column_name), error_code, TRIM(error_message) "
            "FROM sys_load_error_detail"
        )
        found = self.query(f"{select} WHERE {of_copy} ORDER BY file_name, line_number LIMIT {MAX_REPORTED_REJECTS}")
        if len(found) == MAX_REPORTED_REJECTS:
            files = {row[0] for row in found}
            first_lines = (
                "SELECT file_name AS first_file, MIN(line_number) AS first_line FROM sys_load_error_detail "
                f"WHERE {of_copy} GROUP BY file_name"
            )
            joined = f"INNER JOIN ({first_lines}) AS firsts ON file_name = first_file AND line_number = first_line"
            found += [row for row in self.query(f"{select} {joined} WHERE {of_copy}") if row[0] not in files]
        return [RejectedRow(*row) for row in found]

    def _failure(self, error: Exception, started: datetime) -> CopyFailedError:
        """Return the error of a failed COPY, without the server's other fields, which may contain the command."""
        found = fields(error)
        message = f"COPY failed: {found.get('M') or self._text(error)}"
        if self._is_conflict(error):
            return _CopyConflictError(message, terminal=False)
        if damaged := _UNREADABLE.search(found.get("D", "")):
            return CopyFailedError(message, [RejectedRow(damaged[2], 0, "", int(damaged[1]), found["M"])])
        if "load_error" not in message:
            # It did not start to load: any load errors of the session are of an earlier COPY. S3 may have failed.
            return CopyFailedError(message, terminal=is_terminal(error))
        # No function returns the id of a failed COPY. It is the last id of the session, and higher than those that
        # succeeded. Earlier sessions may have had the same process id.
        rejects = self._rejects(
            "query_id = (SELECT MAX(query_id) FROM sys_load_error_detail WHERE session_id = pg_backend_pid() "
            f"AND query_id > {self._last_copy:d} AND start_time > '{started - _CLOCKS_DIFFER:%Y-%m-%d %H:%M:%S}')"
        )
        lines = [
            f"{row.file_name} line {row.line_number}, column {row.column_name}: error {row.error_code}, {row.reason}"
            for row in rejects[:_SHOWN_REJECTS]
        ]
        return CopyFailedError("\n".join([message, *lines]), rejects)

    @cached_property
    def _aws(self) -> AwsBaseHook:
        from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook

        return AwsBaseHook(aws_conn_id=self.aws_conn_id)

    def _authorization(self) -> str:
        from airflow.providers.amazon.aws.utils.redshift import build_credentials_block

        hook = self._aws
        if role := hook.conn_config.extra_config.get(COPY_ROLE):
            return "IAM_ROLE default" if role == "default" else f"IAM_ROLE '{role}'"
        if hook.get_session().get_credentials() is None:
            raise WarehouseError(
                f"COPY has no credentials to read S3: the Airflow connection {self.aws_conn_id!r} has no role, and "
                f"there are no AWS credentials. Set a role in its extra field {COPY_ROLE}: an ARN, or 'default' for "
                "the cluster's default role."
            )
        credentials = hook.get_credentials()
        self.secrets.add(credentials.secret_key, credentials.token)
        return f"CREDENTIALS '{build_credentials_block(credentials)}'"

    def _is_conflict(self, error: BaseException) -> bool:
        if isinstance(error, _CopyConflictError):
            return True
        text = self._text(error)
        return (
            fields(error).get("C") in {"40001", "40P01", *DUPLICATES}
            # https://docs.aws.amazon.com/redshift/latest/dg/c_serial_isolation-serializable-isolation-troubleshooting.html
            or "Serializable isolation violation" in text
            # Mostly of DDL; undocumented, and a retry succeeds.
            or "conflict with concurrent transaction" in text
            # A table was swapped for a rebuilt one: https://github.com/dbt-labs/dbt-core/pull/825
            or "dropped by concurrent transaction" in text
        )

    def _why_unreachable(self, error: BaseException) -> Reason | None:
        from botocore.exceptions import BotoCoreError, ClientError
        from redshift_connector import Error

        if isinstance(error, BotoCoreError | ClientError):
            return Reason.TEMPORARY_PASSWORD
        for cause in (error, *error.args):
            if isinstance(cause, OSError):
                return of_os_error(cause)
        if not isinstance(error, Error):
            return None
        return of_sqlstate(found["C"]) if (found := fields(error)) else Reason.UNREACHABLE

    def _text(self, error: BaseException) -> str:
        found = fields(error)
        words = [found[name] for name in "MD" if name in found] if found else map(str, error.args)
        return ": ".join(words) or super()._text(error)
