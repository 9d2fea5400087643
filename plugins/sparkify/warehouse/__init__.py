"""Two engines, one SQL: the type of the Airflow connection selects the engine."""

from __future__ import annotations

from sparkify.warehouse.copy_result import CopyFailedError, CopyResult, RejectedRow
from sparkify.warehouse.errors import WarehouseError
from sparkify.warehouse.session import Warehouse

__all__ = ["CopyFailedError", "CopyResult", "RejectedRow", "Warehouse", "WarehouseError", "connect"]


def connect(conn_id: str, aws_conn_id: str | None = None) -> Warehouse:
    """Return a session with the warehouse; enter it to connect.

    :param conn_id: an Airflow connection of type ``redshift`` (Amazon Redshift) or ``postgres``.
    :param aws_conn_id: an Airflow connection of type ``aws``, for COPY.
    :raises WarehouseError: if the connection is missing or of another type.
    """
    from airflow.sdk import BaseHook
    from airflow.sdk.exceptions import AirflowNotFoundException

    try:
        connection = BaseHook.get_connection(conn_id)
    except AirflowNotFoundException:
        raise WarehouseError(
            f"The Airflow connection {conn_id!r} does not exist. Create it with type redshift (Amazon Redshift) "
            "or postgres (PostgreSQL), in the web UI under Admin > Connections or in the environment as "
            f"AIRFLOW_CONN_{conn_id.upper()}."
        ) from None
    if connection.conn_type == "redshift":
        from sparkify.warehouse.redshift import Redshift

        return Redshift(connection, aws_conn_id)
    if connection.conn_type == "postgres":
        from sparkify.warehouse.postgres.session import Postgres

        return Postgres(connection, aws_conn_id)
    raise WarehouseError(
        f"The Airflow connection {conn_id!r} is of type {connection.conn_type!r}; expected redshift or postgres."
    )
