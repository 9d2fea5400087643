"""The messages of Redshift's wire protocol, which is PostgreSQL's of version 3 with additions.

https://www.postgresql.org/docs/current/protocol-message-formats.html; the additions as redshift_connector 2 reads them.
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

# Extended descriptions of rows, and numbers as scaled integers: what a present-day Redshift answers.
PROTOCOL_VERSION = 2

SSL_REQUEST = 80877103
STARTUP = 196608

# Types whose binary format is the text itself.
_TEXTS = {18, 19, 25, 705, 1042, 1043}
_NUMERIC = 1700
# Every NUMERIC of Redshift has a scale. PostgreSQL does not know that of an expression: one that holds what is tested.
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
    :param fields: further fields by their letters: ``D`` detail, ``H`` hint.
    """

    def __init__(self, code: str, message: str, *, fatal: bool = False, **fields: str) -> None:
        super().__init__(message)
        self.fatal = fatal
        self.fields = {"S": "FATAL" if fatal else "ERROR", "C": code, "M": message, **fields}


class Channel:
    """The messages to and from one client."""

    def __init__(self, connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._connection = connection

    def read_startup(self) -> tuple[int, bytes]:
        """Return the code and the rest of a message of the start-up phase, which has no type."""
        body = self._read(_INT4.unpack(self._read(4))[0] - 4)
        return _INT4.unpack_from(body)[0], body[4:]

    def read(self) -> tuple[bytes, bytes]:
        """Return the type and the body of the next message.

        :raises Closed: where there is none.
        """
        kind = self._read(1)
        return kind, self._read(_INT4.unpack(self._read(4))[0] - 4)

    def secure(self, context: ssl.SSLContext) -> None:
        """Agree to TLS, and change to it."""
        self._connection.sendall(b"S")
        self._connection = context.wrap_socket(self._connection, server_side=True)

    def send(self, kind: bytes, body: bytes = b"") -> None:
        """Write a message."""
        self.send_all(message(kind, body))

    def send_all(self, messages: bytes) -> None:
        """Write several messages at once."""
        try:
            self._connection.sendall(messages)
        except OSError:
            raise Closed from None

    def send_error(self, error: ServerError) -> None:
        """Write an error."""
        fields = b"".join(name.encode() + value.encode() + b"\0" for name, value in error.fields.items())
        self.send(b"E", fields + b"\0")

    def close(self) -> None:
        """End the connection, without a word."""
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
    """Takes the body of a message apart."""

    def __init__(self, body: bytes) -> None:
        self._body = body
        self._at = 0

    def text(self) -> bytes:
        """Return the bytes up to the next NUL."""
        end = self._body.index(b"\0", self._at)
        part, self._at = self._body[self._at : end], end + 1
        return part

    def take(self, length: int) -> bytes:
        """Return that many bytes."""
        self._at += length
        return self._body[self._at - length : self._at]

    def int2(self) -> int:
        return int(_INT2.unpack(self.take(2))[0])

    def int4(self) -> int:
        return int(_INT4.unpack(self.take(4))[0])

    def value(self) -> bytes | None:
        """Return a value that its length precedes; NULL has the length -1."""
        length = self.int4()
        return None if length < 0 else self.take(length)

    def int2s(self) -> list[int]:
        """Return the numbers that their count precedes."""
        return [self.int2() for _ in range(self.int2())]


def message(kind: bytes, body: bytes = b"") -> bytes:
    """Return a message: its type, its length, its body."""
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
        # Names of schema, table, column and catalog, and flags: nobody asks for them.
        columns.append((result.fname(number) or b"") + b"\0" + field + b"\0" * 4 + _INT2.pack(0))
    return _INT2.pack(len(columns)) + b"".join(columns)


def data_rows(result: pq.abc.PGresult, formats: Sequence[int]) -> bytes:
    """Return the rows of a result, which is in PostgreSQL's binary format, as messages in the client's formats."""
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
    """Return a number as Redshift writes it: an integer of 8 or 16 bytes, to be scaled."""
    declared = modifier - 4 if modifier >= 0 else _UNDECLARED
    number: Decimal = NumericBinaryLoader(_NUMERIC).load(value)
    scaled = number.scaleb(declared & 0xFFFF).to_integral_value(ROUND_HALF_UP)
    return int(scaled).to_bytes(8 if declared >> 16 <= 18 else 16, "big", signed=True)
