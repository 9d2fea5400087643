"""Connect to Redshift with a temporary password, for an Airflow connection with ``iam`` in its extra."""

from __future__ import annotations

import json
import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow.providers.amazon.aws.hooks.redshift_sql import RedshiftSQLHook

# The extra fields about IAM. With them redshift_connector would request a password itself: without the credentials of
# the Airflow connection, and a second time for the same user.
_IAM = {
    "iam",
    "cluster_identifier",
    "is_serverless",
    "serverless_acct_id",
    "serverless_work_group",
    "serverless_token_duration_seconds",
    "region",
}


def with_temporary_password(hook: RedshiftSQLHook) -> Any:
    """Return the hook's connection with a user, a temporary password, and a host.

    https://docs.aws.amazon.com/redshift/latest/mgmt/generating-user-credentials.html

    :param hook: the credentials of its AWS connection must allow redshift:GetClusterCredentials, or
        redshift-serverless:GetCredentials; and DescribeClusters or GetWorkgroup if the connection has no host.
    """
    from airflow.sdk import Connection

    connection = hook.conn
    with _answers_not_logged():
        login, password, port = hook.get_iam_token(connection)
    return Connection(
        conn_id=connection.conn_id,
        conn_type=connection.conn_type,
        host=connection.host or _host(hook),
        port=port,
        schema=connection.schema,
        login=login,
        password=password,
        extra=json.dumps({name: value for name, value in connection.extra_dejson.items() if name not in _IAM}),
    )


@contextmanager
def _answers_not_logged() -> Iterator[None]:
    """Keep AWS responses out of botocore's debug log: it would log the password before it can be masked."""
    logger = logging.getLogger("botocore.parsers")

    def not_debug(record: logging.LogRecord) -> bool:
        return record.levelno > logging.DEBUG

    logger.addFilter(not_debug)
    try:
        yield
    finally:
        logger.removeFilter(not_debug)


def _host(hook: RedshiftSQLHook) -> str:
    from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook

    extra = hook.conn.extra_dejson
    if extra.get("is_serverless"):
        client = AwsBaseHook(aws_conn_id=hook.aws_conn_id, client_type="redshift-serverless").conn
        workgroup = client.get_workgroup(workgroupName=extra["serverless_work_group"])["workgroup"]
        return str(workgroup["endpoint"]["address"])
    client = AwsBaseHook(aws_conn_id=hook.aws_conn_id, client_type="redshift").conn
    (cluster,) = client.describe_clusters(ClusterIdentifier=extra["cluster_identifier"])["Clusters"]
    return str(cluster["Endpoint"]["Address"])
