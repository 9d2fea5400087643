"""Why a connection failed: one message for the task's log, the alert and the page."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from airflow.sdk import Connection

# Timeout to connect, in seconds, unless the extra field of the connection sets another.
CONNECT_TIMEOUT = 10

_NETWORK = (
    "Check that it is running (a paused cluster must be resumed), its address and port, and that the security group "
    "and the network allow connections from this machine."
)


class Reason(Enum):
    """The cause, and the remedy."""

    AUTHENTICATION = "rejected the login of user {user}", "Check the user, the password and the SSL settings."
    TEMPORARY_PASSWORD = (
        "rejected the login: AWS issued no temporary password",
        "Check the credentials and permissions of the aws connection, and the cluster or workgroup that the "
        "connection names.",
    )
    DATABASE = "has no database {database}", "Check the database, the field schema of the connection."
    TIMEOUT = "timed out", _NETWORK
    UNREACHABLE = "is unreachable", _NETWORK
    TLS = "failed the TLS verification", "Check the connection's sslmode, and the certificates this machine trusts."
    FULL = (
        "has no free connection",
        "Each running task uses one: run fewer tasks at once (Airflow's parallelism, or a pool), or raise the limit of "
        "the database. The task's retry connects again.",
    )
    REFUSED = "rejected the connection", "Check that it accepts connections: it may be starting or stopping."


def of_sqlstate(code: str) -> Reason:
    """Return why a server rejected a connection.

    Redshift uses PostgreSQL's codes: https://www.postgresql.org/docs/current/errcodes-appendix.html
    """
    known = {
        "28000": Reason.AUTHENTICATION,
        "28P01": Reason.AUTHENTICATION,
        "3D000": Reason.DATABASE,
        "53300": Reason.FULL,
    }
    return known.get(code, Reason.REFUSED)


def of_os_error(error: OSError) -> Reason:
    """Return why a server is unreachable."""
    import ssl

    if isinstance(error, ssl.SSLError):
        return Reason.TLS
    return Reason.TIMEOUT if isinstance(error, TimeoutError) else Reason.UNREACHABLE


def describe(reason: Reason, connection: Connection, text: str) -> str:
    """Return what happened, to which server, and the remedy.

    :param text: the error message of the server or the driver, without secrets.
    """
    what, remedy = reason.value
    where = f"{connection.host or '(no host)'}:{connection.port or '(default port)'}"
    what = what.format(user=repr(connection.login), database=repr(connection.schema))
    return (
        f"The warehouse at {where} (Airflow connection {connection.conn_id!r}, type {connection.conn_type}) {what}: "
        f"{text.rstrip('.')}. {remedy}"
    )
