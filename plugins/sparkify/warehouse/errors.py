"""The base of the warehouse's errors."""

from __future__ import annotations

from airflow.sdk.exceptions import AirflowException


class WarehouseError(AirflowException):
    """An error of the warehouse; the message has the cause and the remedy."""
