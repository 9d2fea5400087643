"""The database user of Airflow, without superuser privileges or a password."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context

SQL = Path(__file__).parent / "sql"


class CreateUserOperator(BaseOperator):
    """Create the database user that Airflow connects as, and grant it to create schemas and tables.

    It connects as the superuser through Redshift's Data API, with the password that Redshift manages in Secrets
    Manager: the task needs neither the password nor network access to the warehouse. An existing user only gets the
    grants.

    https://docs.aws.amazon.com/redshift/latest/mgmt/generating-iam-credentials-user-and-groups.html

    :param outputs: the outputs of the stack. (templated)
    :param aws_conn_id: the connection that Airflow loads with. On serverless its IAM identity is the database user.
    """

    template_fields: Sequence[str] = ("outputs",)
    ui_color = "#cfe8d5"

    def __init__(self, *, outputs: Any, aws_conn_id: str | None = "aws", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.outputs = outputs
        self.aws_conn_id = aws_conn_id

    def execute(self, context: Context) -> None:
        from airflow.providers.amazon.aws.hooks.redshift_data import RedshiftDataHook

        user, where = self.users()
        data = RedshiftDataHook(aws_conn_id=self.aws_conn_id)
        found = data.execute_query(_read("find_user"), parameters=[{"name": "user_name", "value": user}], **where)
        names = {"user": _quoted(user), "database": _quoted(self.outputs["Database"])}
        statements = _read("grant").format(**names).split(";\n")
        if not data.conn.describe_statement(Id=found.statement_id)["ResultRows"]:
            statements.insert(0, _read("create_user").format(**names))
        data.execute_query(statements, **where)
        self.log.info("Granted CREATE to the database user of Airflow: user=%s", user)

    def users(self) -> tuple[str, dict[str, Any]]:
        """Return the user of Airflow, and the arguments with which RedshiftDataHook connects as the superuser."""
        user, where = self._serverless() if self.outputs["Kind"] == "serverless" else self._cluster()
        return user, {**where, "database": self.outputs["Database"]}

    def _cluster(self) -> tuple[str, dict[str, Any]]:
        return self.outputs["User"], {
            "cluster_identifier": self.outputs["Identifier"],
            "secret_arn": self.outputs["AdminSecretArn"],
        }

    def _serverless(self) -> tuple[str, dict[str, Any]]:
        from sparkify.infrastructure.serverless import RedshiftServerlessHook

        client = RedshiftServerlessHook(aws_conn_id=self.aws_conn_id).conn
        name = self.outputs["Identifier"]
        user = client.get_credentials(workgroupName=name, dbName=self.outputs["Database"])["dbUser"]
        namespace = client.get_namespace(namespaceName=name)["namespace"]
        return user, {"workgroup_name": name, "secret_arn": namespace["adminPasswordSecretArn"]}


def _read(name: str) -> str:
    return (SQL / f"{name}.sql").read_text(encoding="utf-8").strip()


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
