"""Why a session could not begin: one text for the task's log, the alert and the page."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from airflow.sdk import Connection

# Seconds that the server may take to accept a session, if the extra field of the connection says nothing else.
CONNECT_TIMEOUT = 10

_NETWORK = (
    "Check that it runs (a paused cluster has to be resumed), its address and port, and that the security group and "
    "the network let this machine reach it."
)


class Reason(Enum):
    """What is wrong, and the remedy."""

    AUTHENTICATION = "refused the login of user {user}", "Check the user, the password and the SSL settings."
    TEMPORARY_PASSWORD = (
        "cannot be logged in to: AWS issued no temporary password",
        "Check the credentials and permissions of the aws connection, and the cluster or workgroup that the "
        "connection names.",
    )
    DATABASE = "has no database {database}", "Check the database, which is the connection's field schema."
    TIMEOUT = "did not answer in time", _NETWORK
    UNREACHABLE = "cannot be reached", _NETWORK
    TLS = "could not prove its identity", "Check the connection's sslmode, and the certificates this machine trusts."
    REFUSED = "refused the session", "Check that it accepts sessions: it may be starting, stopping or full."


def of_sqlstate(code: str) -> Reason:
    """Return the reason for which a server that was reached refused a session.

    Redshift uses PostgreSQL's codes: https://www.postgresql.org/docs/current/errcodes-appendix.html
    """
    known = {"28000": Reason.AUTHENTICATION, "28P01": Reason.AUTHENTICATION, "3D000": Reason.DATABASE}
    return known.get(code, Reason.REFUSED)


def of_os_error(error: OSError) -> Reason:
    """Return the reason for which a server could not be reached."""
    import ssl

    if isinstance(error, ssl.SSLError):
        return Reason.TLS
    return Reason.TIMEOUT if isinstance(error, TimeoutError) else Reason.UNREACHABLE


def describe(reason: Reason, connection: Connection, text: str) -> str:
    """Return what happened, to which server, and the remedy.

    :param text: the server's or the driver's own words, without secrets.
    """
    what, remedy = reason.value
    where = f"{connection.host or '(no host)'}:{connection.port or '(default port)'}"
    what = what.format(user=repr(connection.login), database=repr(connection.schema))
    return (
        f"The warehouse at {where} (Airflow connection {connection.conn_id!r}, type {connection.conn_type}) {what}: "
        f"{text.rstrip('.')}. {remedy}"
    )
