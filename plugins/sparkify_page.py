"""Airflow plugin: the warehouse page, in the navigation and as a tab of a DAG; and validation of API requests.

Airflow imports this module in every process, tasks included, so it only imports what Airflow has already imported. The
page's application is imported on the first request, in the API server.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.plugins_manager import AirflowPlugin

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping

PREFIX = "/sparkify"


async def application(
    scope: MutableMapping[str, Any],
    receive: Callable[[], Awaitable[MutableMapping[str, Any]]],
    send: Callable[[MutableMapping[str, Any]], Awaitable[None]],
) -> None:
    """Pass a request on to the application, which is created on the first one."""
    from sparkify.web.app import application as app

    await app()(scope, receive, send)


def readable_json(app: Any) -> Any:
    """Wrap Airflow's API in the middleware that rejects JSON its other components cannot read."""
    from sparkify.web.readable import ReadableJson

    return ReadableJson(app)


class WarehousePage(AirflowPlugin):
    """The plugin's apps, middlewares and views."""

    name = "sparkify_page"
    fastapi_apps = [{"app": application, "url_prefix": PREFIX, "name": "Sparkify warehouse page"}]  # noqa: RUF012
    fastapi_root_middlewares = [{"middleware": readable_json, "name": "Sparkify readable JSON"}]  # noqa: RUF012
    external_views = [  # noqa: RUF012
        {
            "name": "Warehouse",
            "href": f"{PREFIX}/",
            "destination": "nav",
            "nav_top_level": True,
            "url_route": "warehouse",
            "icon": f"{PREFIX}/static/icon.svg",
            "icon_dark_mode": f"{PREFIX}/static/icon-dark.svg",
        },
        {
            "name": "Warehouse",
            "href": f"{PREFIX}/",
            "destination": "dag",
            "url_route": "warehouse-of-dag",
            "icon": f"{PREFIX}/static/icon.svg",
            "icon_dark_mode": f"{PREFIX}/static/icon-dark.svg",
        },
    ]
