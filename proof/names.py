"""The names of proofs, which are those of their stack, workgroup, namespace and bucket."""

from __future__ import annotations

import re
import secrets
from datetime import UTC, datetime, timedelta

PREFIX = "sparkify-proof-"
_TIME = "%Y%m%d%H%M%S"
_NAME = re.compile(rf"{PREFIX}([0-9]{{14}})-[0-9a-f]{{8}}")


def new(now: datetime | None = None) -> str:
    """Return a unique name that contains the time.

    >>> new(datetime(2026, 11, 22, 9, 30, tzinfo=UTC))[:-8]
    'sparkify-proof-20261122093000-'
    """
    return f"{PREFIX}{now or datetime.now(UTC):{_TIME}}-{secrets.token_hex(4)}"


def find(text: str) -> set[str]:
    """Return the names of proofs that a text contains.

    >>> find("/aws/redshift/sparkify-proof-20261122093000-0a1b2c3d/userlog")
    {'sparkify-proof-20261122093000-0a1b2c3d'}
    """
    return {found[0] for found in _NAME.finditer(text)}


def age(name: str, now: datetime | None = None) -> timedelta:
    """Return the time since a proof was started.

    :raises ValueError: if it is not the name of a proof.
    """
    found = _NAME.fullmatch(name)
    if not found:
        raise ValueError(f"{name!r} is not the name of a proof: expected {PREFIX}<time>-<8 hexadecimal digits>.")
    return (now or datetime.now(UTC)) - datetime.strptime(found[1], _TIME).replace(tzinfo=UTC)
