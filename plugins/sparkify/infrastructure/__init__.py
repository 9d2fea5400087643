"""The warehouse on AWS: created, paused, resumed and deleted by the DAGs ``sparkify_infrastructure_*``."""

from __future__ import annotations

from sparkify.infrastructure.cluster import DeleteClusterOperator, PauseClusterOperator, ResumeClusterOperator
from sparkify.infrastructure.connection import PublishConnectionOperator, RemoveConnectionOperator
from sparkify.infrastructure.database import CreateUserOperator
from sparkify.infrastructure.network import ChooseNetworkOperator
from sparkify.infrastructure.serverless import SnapshotNamespaceOperator
from sparkify.infrastructure.stack import ConfirmDeletionOperator, CreateStackOperator, DeleteStackOperator

__all__ = [
    "ChooseNetworkOperator",
    "ConfirmDeletionOperator",
    "CreateStackOperator",
    "CreateUserOperator",
    "DeleteClusterOperator",
    "DeleteStackOperator",
    "PauseClusterOperator",
    "PublishConnectionOperator",
    "RemoveConnectionOperator",
    "ResumeClusterOperator",
    "SnapshotNamespaceOperator",
]
