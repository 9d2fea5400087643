"""Session start-up: TLS, the client's parameters, authentication."""

from __future__ import annotations

import secrets
from hashlib import sha256
from hmac import compare_digest
from struct import pack
from typing import TYPE_CHECKING

from tests.redshift import wire
from tests.redshift.wire import Reader, ServerError

if TYPE_CHECKING:
    from tests.redshift.endpoint import Endpoint


def login(channel: wire.Channel, endpoint: Endpoint) -> tuple[str, str]:
    """Return the names of the user and of the database.

    :raises ServerError: if the client does not use TLS or its credentials are invalid.
    """
    code, body = channel.read_startup()
    if code != wire.SSL_REQUEST:
        raise ServerError("28000", "no pg_hba.conf entry for host, SSL off", fatal=True)
    channel.secure(endpoint.tls)
    code, body = channel.read_startup()
    words = body.rstrip(b"\0").decode().split("\0")
    parameters = dict(zip(words[::2], words[1::2], strict=True))
    endpoint.startups.append(parameters)
    if code != wire.STARTUP or int(parameters["client_protocol_version"]) < wire.PROTOCOL_VERSION:
        raise ServerError("0A000", f"the endpoint supports protocol {wire.PROTOCOL_VERSION} only", fatal=True)
    user = parameters["user"]
    if user != endpoint.user or not _authenticate(channel, endpoint.password):
        raise ServerError("28000", f'password authentication failed for user "{user}"', fatal=True)
    return user, parameters["database"]


def _authenticate(channel: wire.Channel, password: str) -> bool:
    """Request a digest of both nonces and the salted password; return whether it is correct."""
    salt, nonce = secrets.token_bytes(16), secrets.token_bytes(16)
    channel.send(b"R", pack("!iii", 13, 0, len(salt)) + salt + pack("!i", len(nonce)) + nonce)
    kind, body = channel.read()
    reader = Reader(body)
    digest, client_nonce = reader.value(), reader.value()
    stored = sha256(password.encode() + salt).digest()
    expected = sha256(stored + nonce + (client_nonce or b"")).digest()
    return kind == b"d" and compare_digest(expected, digest or b"")
