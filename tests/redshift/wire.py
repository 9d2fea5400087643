"""Messages of Redshift's wire protocol: PostgreSQL's version 3 with extensions.

https://www.postgresql.org/docs/current/protocol-message-formats.html; the extensions follow redshift_connector 2.
"""

from __future__ import annotations

import socket
from decimal import ROUND_HALF_UP, Decimal
from struct import Struct
from typing import TYPE_CHECKING

from psycopg.types.numeric import NumericBinaryLoader

if TYPE_CHECKING:
    import ssl
    from collections.abc import Sequence

    from psycopg import pq

# The version of current clusters: extended row descriptions, and numbers as scaled integers.
PROTOCOL_VERSION = 2

SSL_REQUEST = 80877103
STARTUP = 196608

# Types whose binary format equals their text format.
_TEXTS = {18, 19, 25, 705, 1042, 1043}
_NUMERIC = 1700
# Redshift always declares a precision and a scale, PostgreSQL does not for expressions; these fit the tests.
_UNDECLARED = 38 << 16 | 10

_INT2, _INT4 = Struct("!h"), Struct("!i")
_FIELD = Struct("!ihihih")
_NULL = _INT4.pack(-1)


class Closed(Exception):
    """The client has closed the connection."""


class ServerError(Exception):
    """An error message of the server.

    :param code: SQLSTATE.
    :param fatal: whether the server ends the session.
    :param fields: further fields by letter: ``D`` detail, ``H`` hint.
    """

    def __init__(self, code: str, message: str, *, fatal: bool = False, **fields: str) -> None:
        super().__init__(message)
        self.fatal = fatal
        self.fields = {"S": "FATAL" if fatal else "ERROR", "C": code, "M": message, **fields}


class Channel:
    """Reads and writes the messages of one client."""

    def __init__(self, connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._connection = connection

    def read_startup(self) -> tuple[int, bytes]:
        """Return the code and the body of a start-up message, which has no type."""
        body = self._read(_INT4.unpack(self._read(4))[0] - 4)
        return _INT4.unpack_from(body)[0], body[4:]

    def read(self) -> tuple[bytes, bytes]:
        """Return the type and the body of the next message.

        :raises Closed: if the client closed the connection.
        """
        kind = self._read(1)
        return kind, self._read(_INT4.unpack(self._read(4))[0] - 4)

    def secure(self, context: ssl.SSLContext) -> None:
        """Accept the request for TLS and start it."""
        self._connection.sendall(b"S")
        self._connection = context.wrap_socket(self._connection, server_side=True)

    def send(self, kind: bytes, body: bytes = b"") -> None:
        """Write a message."""
        self.send_all(message(kind, body))

    def send_all(self, messages: bytes) -> None:
        """Write several encoded messages."""
        try:
            self._connection.sendall(messages)
        except OSError:
            raise Closed from None

    def send_error(self, error: ServerError) -> None:
        """Write an error."""
        fields = b"".join(name.encode() + value.encode() + b"\0" for name, value in error.fields.items())
        self.send(b"E", fields + b"\0")

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _read(self, length: int) -> bytes:
        content = b""
        while len(content) < length:
            try:
                part = self._connection.recv(length - len(content))
            except OSError:
                raise Closed from None
            if not part:
                raise Closed
            content += part
        return content


class Reader:
    """Parses the body of a message."""

    def __init__(self, body: bytes) -> None:
        self._body = body
        self._at = 0

    def text(self) -> bytes:
        """Return the bytes up to the next NUL."""
        end = self._body.index(b"\0", self._at)
        part, self._at = self._body[self._at : end], end + 1
        return part

    def take(self, length: int) -> bytes:
        """Return the next ``length`` bytes."""
        self._at += length
        return self._body[self._at - length : self._at]

    def int2(self) -> int:
        return int(_INT2.unpack(self.take(2))[0])

    def int4(self) -> int:
        return int(_INT4.unpack(self.take(4))[0])

    def value(self) -> bytes | None:
        """Return a length-prefixed value, or None for NULL (length -1)."""
        length = self.int4()
        return None if length < 0 else self.take(length)

    def int2s(self) -> list[int]:
        """Return a count-prefixed list of numbers."""
        return [self.int2() for _ in range(self.int2())]


def message(kind: bytes, body: bytes = b"") -> bytes:
    """Return an encoded message: type, length, body."""
    return kind + _INT4.pack(len(body) + 4) + body


def parameter_description(result: pq.abc.PGresult) -> bytes:
    """Return the types of a prepared statement's parameters."""
    types = [result.param_type(number) for number in range(result.nparams)]
    return _INT2.pack(len(types)) + b"".join(map(_INT4.pack, types))


def row_description(result: pq.abc.PGresult) -> bytes:
    """Return names and types of the columns that a prepared statement returns."""
    columns = []
    for number in range(result.nfields):
        kind, modifier = result.ftype(number), result.fmod(number)
        if kind == _NUMERIC and modifier < 0:
            modifier = _UNDECLARED + 4
        field = _FIELD.pack(result.ftable(number), result.ftablecol(number), kind, result.fsize(number), modifier, 0)
        # Names of schema, table, column and catalog, and flags: not used by the tests.
        columns.append((result.fname(number) or b"") + b"\0" + field + b"\0" * 4 + _INT2.pack(0))
    return _INT2.pack(len(columns)) + b"".join(columns)


def data_rows(result: pq.abc.PGresult, formats: Sequence[int]) -> bytes:
    """Convert a result in PostgreSQL's binary format to row messages in the client's formats."""
    columns = [(number, result.ftype(number), result.fmod(number)) for number in range(result.nfields)]
    for number, kind, _ in columns:
        if not formats[number] and kind not in _TEXTS:
            raise ServerError("0A000", f"the endpoint cannot write type {kind} as text")
    head = _INT2.pack(len(columns))
    rows = bytearray()
    for row in range(result.ntuples):
        body = head
        for number, kind, modifier in columns:
            value = result.get_value(row, number)
            if value is None:
                body += _NULL
                continue
            if kind == _NUMERIC:
                value = _numeric(value, modifier)
            body += _INT4.pack(len(value)) + value
        rows += message(b"D", body)
    return bytes(rows)


def _numeric(value: bytes, modifier: int) -> bytes:
    """Convert a NUMERIC to Redshift's binary format: a scaled integer of 8 or 16 bytes."""
    declared = modifier - 4 if modifier >= 0 else _UNDECLARED
    number: Decimal = NumericBinaryLoader(_NUMERIC).load(value)
    scaled = number.scaleb(declared & 0xFFFF).to_integral_value(ROUND_HALF_UP)
    return int(scaled).to_bytes(8 if declared >> 16 <= 18 else 16, "big", signed=True)
