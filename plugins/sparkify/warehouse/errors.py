"""The errors of the warehouse, and which of them a retry of the task cannot repair."""

from __future__ import annotations

from airflow.sdk.exceptions import AirflowException

# The classes of SQLSTATE with errors of the data and of the SQL, and the violation of NOT NULL. All others may pass:
# lost connections (08), conflicts (40), missing resources such as disk space (53), shutdowns and timeouts (55, 57),
# system errors (58, XX).
# https://www.postgresql.org/docs/current/errcodes-appendix.html
_TERMINAL = ("22", "23502", "42")
# Of these classes: a concurrent session has created the same schema or table, or its row type.
DUPLICATES = {"42P06", "42P07", "42710"}


class WarehouseError(AirflowException):
    """An error of the warehouse; the message has the cause and the remedy.

    :param terminal: whether a retry of the task would fail again; by default it may succeed.
    """

    def __init__(self, message: str, *, terminal: bool = False) -> None:
        super().__init__(message)
        self.terminal = terminal


def fields(error: BaseException) -> dict[str, str]:
    """Return the fields of the server's message in an error of redshift_connector, by their letters; else none.

    https://www.postgresql.org/docs/current/protocol-error-fields.html
    """
    return error.args[0] if error.args and isinstance(error.args[0], dict) else {}


def is_terminal(error: BaseException) -> bool:
    """Return whether a retry of the task would fail again, because somebody has to correct its input first.

    An error of this project declares it; that of a database driver has a SQLSTATE.
    """
    code = sqlstate(error)
    return bool(getattr(error, "terminal", False)) or (code.startswith(_TERMINAL) and code not in DUPLICATES)


def explain(error: BaseException) -> str:
    """Return the message of a terminal error, with the remedy."""
    code = sqlstate(error)
    if not code:
        return str(error)
    statement = "".join(f" {note.rstrip('.')}." for note in getattr(error, "__notes__", ()))
    text = fields(error).get("M") or str(error).partition("\n")[0]
    return (
        f"The database rejected a statement: {text.rstrip('.')} (SQLSTATE {code}).{statement} "
        "A retry would fail again: correct the SQL, the table or the data, then clear the task."
    )


def sqlstate(error: BaseException) -> str:
    """Return the SQLSTATE of a driver's error; empty if it has none."""
    return getattr(error, "sqlstate", None) or fields(error).get("C", "")
