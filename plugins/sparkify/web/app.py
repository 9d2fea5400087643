"""The application of the warehouse page. All endpoints require a login to Airflow."""

from __future__ import annotations

import asyncio
import math
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from airflow.api_fastapi.auth.managers.models.resource_details import DagAccessEntity
from airflow.api_fastapi.core_api.security import requires_access_dag, requires_authenticated
from fastapi import Depends, FastAPI, HTTPException, Query, Request, Response
from fastapi.responses import JSONResponse
from starlette.datastructures import MutableHeaders
from starlette.staticfiles import StaticFiles

from sparkify.alerts import testing
from sparkify.quality import declaration
from sparkify.web import dictionary, loads, panels, reports
from sparkify.web.cache import PATIENCE, Cache
from sparkify.web.days import Days, DaysError, DaysRequest
from sparkify.web.panels import Panel, PanelError

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

CHECKS = Path(__file__).parents[3] / "include" / "checks"
STATIC = Path(__file__).parent / "static"
# The page may only load its own files, and may only be framed by Airflow.
POLICY = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'self'"
# A report may do nothing but be seen: it has no scripts, and its place in S3 may be written by others.
REPORT_POLICY = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'"
# Concurrent requests of reports, in each process of the API server.
READERS = 2
# Seconds to cache a result of Airflow's metadata database, the data dictionary or a list of reports, however many pages
# poll.
KEEP_LOADS = 15.0
# Minimum age, in seconds, of a cached result that the reload button refreshes although no run has ended since.
RELOAD = 45.0
# The panel with the first and the last loaded day.
LOADED_DAYS = "loaded_days"
# Maximum number of runs of one request.
MOST_RUNS = 100


@cache
def application() -> ASGIApp:
    """Return the application of this process."""
    return create(
        Cache(lambda query: panels.read(*query)),
        *(Cache(read, keep=KEEP_LOADS) for read in (loads.read, reports.latest, dictionary.read)),
    )


def create(panel_cache: Cache, loads_cache: Cache, reports_cache: Cache, dictionary_cache: Cache) -> ASGIApp:
    """Return an application.

    :param panel_cache: the results of :func:`sparkify.web.panels.read` by name and days, cached until a run that writes
        to the warehouse has ended.
    :param loads_cache: the results of :func:`sparkify.web.loads.read`, which report such a run.
    :param reports_cache: the results of :func:`sparkify.web.reports.latest`.
    :param dictionary_cache: the results of :func:`sparkify.web.dictionary.read`.
    """
    readers = ThreadPoolExecutor(READERS, thread_name_prefix="warehouse-reports")
    app = FastAPI(
        title="Sparkify warehouse page",
        dependencies=[Depends(requires_authenticated())],
        openapi_url=None,  # its documentation pages would not require a login
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
        # The content of a file with a version in its name never changes.
        kept = "private, max-age=31536000, immutable" if path.startswith("echarts-") else "no-cache"
        response.headers["Cache-Control"] = kept
        return response

    @app.get("/api/loads")
    async def state() -> dict[str, Any]:
        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return {"now": now, **await loads_cache.get("loads")}

    @app.get("/api/staging")
    def staging(run: Annotated[list[str], Query(max_length=MOST_RUNS)]) -> dict[str, dict[str, str | None]]:
        return loads.staging(run)

    @app.get("/api/panels")
    def declared() -> list[Panel]:
        return list(panels.declared().values())

    async def panel_days(request: DaysRequest, version: str, max_age: float) -> Days:
        """Return the requested days; only the panel ``loaded_days`` knows what they are relative to."""
        if not request.is_relative:
            return request.resolve(None)
        ((first, last),) = (await panel_cache.get((LOADED_DAYS, None), version, max_age))["rows"]
        return request.resolve((date.fromisoformat(first), date.fromisoformat(last)) if first else None)

    @app.get("/api/panels/{name}")
    async def panel(
        name: str,
        *,
        reload: bool = False,
        preset: Annotated[str | None, Query(alias="range")] = None,
        first: Annotated[str | None, Query(alias="from")] = None,
        last: Annotated[str | None, Query(alias="to")] = None,
    ) -> dict[str, Any]:
        if name not in (known := panels.declared()):
            raise HTTPException(404, f"Unknown panel {name!r}: expected one of {', '.join(known)}.")
        request = DaysRequest.parse(preset, first, last)
        state = await loads_cache.get("loads")
        version = state["versions"].get(name, state["version"])
        max_age = RELOAD if reload else math.inf
        shown: dict[str, Any] = {"name": name, "version": version}
        days = None
        if known[name].has_days:
            days = await panel_days(request, version, max_age)
            shown |= {"from": f"{days.first}", "to": f"{days.last}"}
        return {**shown, **await panel_cache.get((name, days), version, max_age)}

    @app.get("/api/checks")
    def checks() -> list[dict[str, str]]:
        try:
            declared = declaration.load(CHECKS)
        except declaration.DeclarationError as error:
            raise HTTPException(503, f"The declarations of checks are invalid: {error}") from error
        return [
            {"table_name": check.table, "check_name": check.name, "why": check.why, "remedy": check.remedy}
            for check in declared
        ]

    @app.get("/api/dictionary")
    async def described() -> dict[str, Any]:
        return await dictionary_cache.get("dictionary")

    @app.post("/api/alert-test", dependencies=[Depends(requires_access_dag("POST", DagAccessEntity.RUN, loads.HOURLY))])
    def alert_test() -> dict[str, Any]:
        found = testing.send()
        return {
            "channels": [{"name": name, "error": error} for name, error in found.items()],
            "help": "" if found else testing.NO_CHANNEL,
        }

    @app.get("/api/reports")
    async def listed(*, reload: bool = False) -> dict[str, Any]:
        try:
            return await reports_cache.get("reports", max_age=0.0 if reload else math.inf)
        except PanelError as error:
            raise _of_s3(error) from error

    @app.get("/reports/{day}")
    async def report(day: date) -> Response:
        reading = asyncio.get_running_loop().run_in_executor(readers, reports.read, day)
        try:
            found = await asyncio.wait_for(reading, PATIENCE)
        except TimeoutError as error:
            raise _of_s3(PanelError("waiting", "")) from error
        if found is None:
            raise HTTPException(
                404, f"There is no report of {day}. Trigger the DAG sparkify_report with that partition key."
            )
        return Response(found, media_type="text/html", headers={"Content-Security-Policy": REPORT_POLICY})

    @app.exception_handler(PanelError)
    async def unavailable(request: Request, error: PanelError) -> JSONResponse:
        return JSONResponse({"kind": error.kind, "detail": str(error)}, 503)

    @app.exception_handler(DaysError)
    async def invalid(request: Request, error: DaysError) -> JSONResponse:
        return JSONResponse({"kind": "days", "detail": str(error)}, 422)

    return with_headers(app)


def _of_s3(error: PanelError) -> PanelError:
    """Return an error of S3: a cache words a timeout for the warehouse."""
    if error.kind != "waiting":
        return error
    return PanelError("waiting", f"S3 has not responded within {PATIENCE:g} s. Check the connection aws, then reload.")


def with_headers(app: ASGIApp) -> ASGIApp:
    """Return the application with default headers on every response, errors included.

    By default browsers do not store a response, and never sniff its content type.
    """

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        async def start(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.setdefault("Cache-Control", "no-store")
                headers["X-Content-Type-Options"] = "nosniff"
            await send(message)

        await app(scope, receive, start)

    return answer
