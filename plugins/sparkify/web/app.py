"""The application behind the warehouse page. All of it is for people who are logged in to Airflow."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from airflow.api_fastapi.core_api.security import requires_authenticated
from fastapi import Depends, FastAPI, HTTPException, Request, Response
from fastapi.responses import JSONResponse
from starlette.staticfiles import StaticFiles

from sparkify.web.cache import KEEP, Cache
from sparkify.web.panels import PANELS, PanelError, read

STATIC = Path(__file__).parent / "static"
# The page runs its own files only, and shows itself in Airflow's frame only.
POLICY = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'self'"


@cache
def application() -> FastAPI:
    """Return the application of this process."""
    return create(Cache(read))


def create(answers: Cache) -> FastAPI:
    """Return an application.

    :param answers: those of the panels.
    """
    app = FastAPI(
        title="Sparkify warehouse page",
        dependencies=[Depends(requires_authenticated())],
        openapi_url=None,  # its pages of documentation would not ask who is there
    )
    static = StaticFiles(directory=STATIC)

    @app.get("/")
    async def page(request: Request) -> Response:
        response = await static.get_response("index.html", request.scope)
        response.headers["Content-Security-Policy"] = POLICY
        response.headers["Cache-Control"] = "no-cache"
        return response

    @app.get("/static/{path:path}")
    async def file(path: str, request: Request) -> Response:
        response = await static.get_response(path, request.scope)
        # A name with a version never gets another content.
        kept = "private, max-age=31536000, immutable" if path.startswith("echarts-") else "no-cache"
        response.headers["Cache-Control"] = kept
        return response

    @app.get("/api/panels")
    async def panels() -> list[str]:
        return list(PANELS)

    @app.get("/api/panels/{name}")
    async def panel(name: str) -> dict[str, Any]:
        if name not in PANELS:
            raise HTTPException(404, f"There is no panel {name!r}. There are: {', '.join(PANELS)}.")
        return {"name": name, "fresh_for": KEEP, **await answers.get(name)}

    @app.exception_handler(PanelError)
    async def unavailable(request: Request, error: PanelError) -> JSONResponse:
        return JSONResponse({"kind": error.kind, "detail": str(error)}, 503, {"Cache-Control": "no-store"})

    return app
