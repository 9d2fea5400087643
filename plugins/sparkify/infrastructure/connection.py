"""Publish the warehouse's connection to Airflow, and remove it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowNotFoundException, AirflowSkipException

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context

    from sparkify.infrastructure.secrets import StackSecrets

# The Airflow variable that the warehouse's DAG reads.
BUCKET = "sparkify_bucket"
NO_BACKEND = """No connection was published: Airflow is not configured to read connections from AWS Secrets Manager.
Either set, for all components of Airflow,
  AIRFLOW__SECRETS__BACKEND=airflow.providers.amazon.aws.secrets.secrets_manager.SecretsManagerBackend
and clear this task, or define the following by hand. It contains no secrets."""


class PublishConnectionOperator(BaseOperator):
    """Write the connections and the variable that the warehouse's DAG needs to AWS Secrets Manager.

    The connection to Redshift has no password: each task requests a temporary one when it connects. The AWS connection
    and the variable are written only if they are not defined yet. Without a secrets backend the task logs what to
    define by hand, and is skipped.

    https://airflow.apache.org/docs/apache-airflow-providers-amazon/stable/secrets-backends/aws-secrets-manager.html

    :param outputs: the outputs of the stack. (templated)
    :param redshift_conn_id: the connection of the warehouse.
    :param aws_conn_id: the connection that stage tasks read S3 with.
    """

    template_fields: Sequence[str] = ("outputs",)
    ui_color = "#cfe8d5"

    def __init__(
        self, *, outputs: Any, redshift_conn_id: str = "redshift", aws_conn_id: str = "aws", **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.outputs = outputs
        self.redshift_conn_id = redshift_conn_id
        self.aws_conn_id = aws_conn_id

    def execute(self, context: Context) -> None:
        from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook

        from sparkify.infrastructure.secrets import stack_secrets

        region = AwsBaseHook(aws_conn_id=self.aws_conn_id, client_type="redshift").conn.meta.region_name
        redshift = redshift_connection(self.outputs)
        aws = {"conn_type": "aws", "extra": {"region_name": region, "copy_iam_role": self.outputs["CopyRoleArn"]}}
        secrets = stack_secrets(self.outputs["Identifier"])
        if secrets is None:
            self.log.warning(
                "%s\n  AIRFLOW_CONN_%s='%s'\n  AIRFLOW_CONN_%s='%s'\n  AIRFLOW_VAR_%s='%s'",
                NO_BACKEND,
                self.redshift_conn_id.upper(),
                json.dumps(redshift),
                self.aws_conn_id.upper(),
                json.dumps(aws),
                BUCKET.upper(),
                self.outputs["Bucket"],
            )
            raise AirflowSkipException("Not published: Airflow has no AWS Secrets Manager backend; see the log.")
        secrets.write(secrets.connection(self.redshift_conn_id), json.dumps(redshift))
        self._publish_aws(secrets, aws)
        self._publish_bucket(secrets)

    def _publish_aws(self, secrets: StackSecrets, aws: dict[str, Any]) -> None:
        from airflow.sdk import BaseHook

        name = secrets.connection(self.aws_conn_id)
        if not secrets.owns(name):
            try:
                defined = BaseHook.get_connection(self.aws_conn_id)
            except AirflowNotFoundException:
                pass
            else:
                role = aws["extra"]["copy_iam_role"]
                if defined.extra_dejson.get("copy_iam_role") != role:
                    self.log.warning(
                        "The connection %r was defined by you and is not changed: COPY reads S3 with its credentials. "
                        'To use the stack\'s role, add to its extra: "copy_iam_role": "%s"',
                        self.aws_conn_id,
                        role,
                    )
                return
        secrets.write(name, json.dumps(aws))

    def _publish_bucket(self, secrets: StackSecrets) -> None:
        from airflow.sdk import Variable

        name = secrets.variable(BUCKET)
        if name is None:
            self.log.warning(
                "The secrets backend stores no variables, define %s=%s by hand", BUCKET, self.outputs["Bucket"]
            )
            return
        defined = None if secrets.owns(name) else Variable.get(BUCKET, default=None)
        if defined is None:
            secrets.write(name, self.outputs["Bucket"])
        elif defined != self.outputs["Bucket"]:
            self.log.warning(
                "The variable %s was defined by you and is not changed: %s. COPY's role can only read %s.",
                BUCKET,
                defined,
                self.outputs["Bucket"],
            )


class RemoveConnectionOperator(BaseOperator):
    """Remove only the secrets that :class:`PublishConnectionOperator` wrote for a stack.

    :param stack_name: the stack's name. (templated)
    :param conn_ids: the connections.
    """

    template_fields: Sequence[str] = ("stack_name",)
    ui_color = "#f4d6d2"

    def __init__(self, *, stack_name: str, conn_ids: Sequence[str] = ("redshift", "aws"), **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.stack_name = stack_name
        self.conn_ids = tuple(conn_ids)

    def execute(self, context: Context) -> None:
        from sparkify.infrastructure.secrets import stack_secrets

        secrets = stack_secrets(self.stack_name)
        if secrets is None:
            raise AirflowSkipException(
                "Nothing to remove: Airflow has no AWS Secrets Manager backend. Remove manual connections yourself."
            )
        for name in [*map(secrets.connection, self.conn_ids), secrets.variable(BUCKET)]:
            if name is not None:
                secrets.remove(name)


def redshift_connection(outputs: dict[str, str]) -> dict[str, Any]:
    """Return the Airflow connection to the warehouse of a stack, in Airflow's JSON form, without secrets.

    https://airflow.apache.org/docs/apache-airflow-providers-amazon/stable/connections/redshift.html

    :param outputs: the outputs of the stack.
    """
    found: dict[str, Any] = {
        "conn_type": "redshift",
        "host": outputs["Endpoint"],
        "port": int(outputs["Port"]),
        "schema": outputs["Database"],
    }
    if outputs["Kind"] == "serverless":
        # The database user is that of the IAM identity.
        return {
            **found,
            "extra": {"iam": True, "is_serverless": True, "serverless_work_group": outputs["Identifier"]},
        }
    return {
        **found,
        "login": outputs["User"],
        "extra": {"iam": True, "cluster_identifier": outputs["Identifier"]},
    }
