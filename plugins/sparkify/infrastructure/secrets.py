"""The secrets of a stack in AWS Secrets Manager, from which Airflow reads its connections."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from airflow.sdk.exceptions import AirflowFailException

if TYPE_CHECKING:
    from airflow.providers.amazon.aws.secrets.secrets_manager import SecretsManagerBackend

log = logging.getLogger(__name__)

# The owner of a secret: only those tagged with the stack's name are ever overwritten or deleted.
TAG = "sparkify:stack"


class StackSecrets:
    """A stack's secrets.

    :param backend: Airflow's own secrets backend, with its prefixes, its region and its credentials.
    :param stack: the stack's name.
    """

    def __init__(self, backend: SecretsManagerBackend, stack: str) -> None:
        self._backend = backend
        self._client = backend.client
        self._stack = stack

    def connection(self, conn_id: str) -> str | None:
        """Return the name of a connection's secret, or None if the backend stores no connections."""
        return self._path(self._backend.connections_prefix, conn_id)

    def variable(self, key: str) -> str | None:
        """Return the name of a variable's secret, or None if the backend stores no variables."""
        return self._path(self._backend.variables_prefix, key)

    def _path(self, prefix: str | None, name: str) -> str | None:
        if prefix is None:
            return None
        return self._backend.build_path(prefix, name, self._backend.sep) if prefix else name

    def owns(self, name: str | None) -> bool:
        """Return whether the secret exists and belongs to the stack."""
        return self._owner(name) == self._stack

    def _owner(self, name: str | None) -> str | None:
        """Return the stack that owns a secret: "" if it has no owner tag, None if it does not exist."""
        if name is None:
            return None
        try:
            found = self._client.describe_secret(SecretId=name)
        except self._client.exceptions.ResourceNotFoundException:
            return None
        return next((tag["Value"] for tag in found.get("Tags", []) if tag["Key"] == TAG), "")

    def write(self, name: str | None, value: str) -> None:
        """Create or overwrite a secret.

        :raises AirflowFailException: if a secret of that name does not belong to the stack.
        """
        if name is None:
            raise AirflowFailException(
                "Airflow's secrets backend stores no connections: its backend_kwargs set connections_prefix to null."
            )
        owner = self._owner(name)
        if owner is None:
            self._client.create_secret(
                Name=name,
                SecretString=value,
                Description="Written by sparkify_infrastructure_create, removed by sparkify_infrastructure_delete",
                Tags=[{"Key": TAG, "Value": self._stack}],
            )
        elif owner == self._stack:
            self._client.put_secret_value(SecretId=name, SecretString=value)
        else:
            raise AirflowFailException(
                f"The secret {name} in AWS Secrets Manager does not belong to the stack {self._stack} and was not "
                f"changed: delete it, or tag it {TAG}={self._stack}, and clear this task."
            )
        log.info("Published secret %s", name)

    def remove(self, name: str) -> None:
        """Delete a secret of the stack, without a recovery window: it contains no password."""
        if not self.owns(name):
            log.info("Not removed, missing or not owned by the stack: %s", name)
            return
        self._client.delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True)
        log.info("Removed secret %s", name)


def stack_secrets(stack: str) -> StackSecrets | None:
    """Return a stack's secrets, or None if Airflow does not read connections from AWS Secrets Manager.

    :param stack: the stack's name.
    """
    from airflow.providers.amazon.aws.secrets.secrets_manager import SecretsManagerBackend
    from airflow.sdk.configuration import get_custom_secret_backend

    for worker_mode in (True, False):  # [workers] secrets_backend takes precedence over [secrets] backend
        backend = get_custom_secret_backend(worker_mode=worker_mode)
        if isinstance(backend, SecretsManagerBackend):
            return StackSecrets(backend, stack)
    return None
