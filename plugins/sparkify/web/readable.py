"""Reject JSON that Airflow's API accepts but its tasks and its DAG processor cannot read.

Airflow 3.3.2 stores any conf that a run is triggered with. A task's process exits immediately if it contains a number
of more than 64 bits, text that is not Unicode, or hundreds of levels. The scheduler then requests the DAG processor to
run the task's callbacks, with the same conf, and the DAG processor exits for the same reason, again after each restart.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

# The public API; those of tasks and of the web UI have no such input.
PREFIX = "/api/v2/"
# Maximum nesting of a document. The DAG processor can read about 190 levels more than its own.
DEPTH = 64


class ReadableJson:
    """ASGI middleware that responds with 422 to a POST or PATCH of JSON that Airflow could not read back.

    :param app: the wrapped application.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Reject a request, or pass it on unchanged."""
        if scope["type"] != "http" or scope["method"] not in ("POST", "PATCH") or PREFIX not in scope["path"]:
            await self._app(scope, receive, send)
            return
        messages = [await receive()]
        while messages[-1].get("more_body"):
            messages.append(await receive())
        if reason := unreadable(b"".join(message.get("body", b"") for message in messages)):
            await JSONResponse({"detail": f"Invalid JSON: it {reason}."}, 422)(scope, receive, send)
            return

        async def again() -> Message:
            return messages.pop(0) if messages else await receive()

        await self._app(scope, again, send)


def unreadable(body: bytes) -> str | None:
    """Return why Airflow cannot read back a JSON document; None if it can, or if it is not JSON."""
    try:
        document = json.loads(body)
        json.dumps(document, ensure_ascii=False).encode()
    except RecursionError:
        return _too_deep()
    except UnicodeEncodeError:
        return "contains text that is not Unicode (a lone surrogate)"
    except ValueError:
        return None
    level: list[Any] = [document]
    for _ in range(DEPTH + 1):
        # 1e300, too: PostgreSQL's jsonb, in which Airflow stores it, returns it as an integer of 301 digits.
        if any(isinstance(value, int | float) and abs(value) >= 2**63 for value in level):
            return "contains a number that needs more than 64 bits"
        inner = [
            value.values() if isinstance(value, dict) else value for value in level if isinstance(value, dict | list)
        ]
        level = [value for values in inner for value in values]
        if not level:
            return None
    return _too_deep()


def _too_deep() -> str:
    return f"is nested more than {DEPTH} levels deep"
