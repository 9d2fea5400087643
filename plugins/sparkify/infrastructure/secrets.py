"""The secrets that belong to a stack, in the AWS Secrets Manager that Airflow reads its connections from."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from airflow.sdk.exceptions import AirflowFailException

if TYPE_CHECKING:
    from airflow.providers.amazon.aws.secrets.secrets_manager import SecretsManagerBackend

log = logging.getLogger(__name__)

# Whose a secret is: only what bears the stack's name is ever overwritten or deleted.
TAG = "sparkify:stack"


class Vault:
    """A stack's secrets.

    :param backend: Airflow's own secrets backend, with its prefixes, its region and its credentials.
    :param stack: the stack's name.
    """

    def __init__(self, backend: SecretsManagerBackend, stack: str) -> None:
        self._backend = backend
        self._client = backend.client
        self._stack = stack

    def connection(self, conn_id: str) -> str | None:
        """Return the name of the secret of a connection, or None where the backend keeps no connections."""
        return self._path(self._backend.connections_prefix, conn_id)

    def variable(self, key: str) -> str | None:
        """Return the name of the secret of a variable, or None where the backend keeps no variables."""
        return self._path(self._backend.variables_prefix, key)

    def _path(self, prefix: str | None, name: str) -> str | None:
        if prefix is None:
            return None
        return self._backend.build_path(prefix, name, self._backend.sep) if prefix else name

    def owns(self, name: str | None) -> bool:
        """Return whether there is such a secret and it is the stack's."""
        return self._owner(name) == self._stack

    def _owner(self, name: str | None) -> str | None:
        """Return whose a secret is: "" for somebody else's, None where there is none."""
        if name is None:
            return None
        try:
            found = self._client.describe_secret(SecretId=name)
        except self._client.exceptions.ResourceNotFoundException:
            return None
        return next((tag["Value"] for tag in found.get("Tags", []) if tag["Key"] == TAG), "")

    def write(self, name: str | None, value: str) -> None:
        """Create or overwrite a secret.

        :raises AirflowFailException: where one of that name is not the stack's.
        """
        if name is None:
            raise AirflowFailException(
                "Airflow's secrets backend keeps no connections: its backend_kwargs set connections_prefix to null."
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
                f"The secret {name} in AWS Secrets Manager is not the stack {self._stack}'s and is left as it is: "
                f"delete it, or tag it {TAG}={self._stack}, and clear this task."
            )
        log.info("Published %s.", name)

    def remove(self, name: str) -> None:
        """Delete a secret that is the stack's. There is no secret in it: it does not wait for its recovery."""
        if not self.owns(name):
            log.info("%s is not there, or not the stack's.", name)
            return
        self._client.delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True)
        log.info("Removed %s.", name)


def vault(stack: str) -> Vault | None:
    """Return a stack's secrets, or None where Airflow does not read connections from AWS Secrets Manager.

    :param stack: the stack's name.
    """
    from airflow.providers.amazon.aws.secrets.secrets_manager import SecretsManagerBackend
    from airflow.sdk.configuration import get_custom_secret_backend

    for worker_mode in (True, False):  # [workers] secrets_backend goes before [secrets] backend
        backend = get_custom_secret_backend(worker_mode=worker_mode)
        if isinstance(backend, SecretsManagerBackend):
            return Vault(backend, stack)
    return None
