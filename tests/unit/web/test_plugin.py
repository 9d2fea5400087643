"""The plugin is cheap to import, and registers the page."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import sparkify_page
from sparkify.web.app import STATIC
from tests.conftest import ROOT

HEAVY = ("fastapi", "starlette", "airflow.api_fastapi", "psycopg", "sqlglot", "sparkify")
# Prints the module's imports in addition to those of Airflow's plugin manager.
PROGRAM = f"""
import json, sys
import airflow.plugins_manager
before = set(sys.modules)
import sparkify_page
print(json.dumps([name for name in set(sys.modules) - before if name.startswith({HEAVY!r})]))
"""


def test_the_plugin_is_cheap_to_import() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env={**os.environ, "PYTHONPATH": str(ROOT / "plugins")},
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    assert json.loads(done.stdout.splitlines()[-1]) == ["sparkify_page"]


def test_the_plugin_manager_only_finds_the_page() -> None:
    program = (
        "from airflow import plugins_manager as manager; import json; apps, _ = manager.get_fastapi_plugins(); "
        "plugins, errors = manager._get_plugins(); "
        "ours = [plugin.name for plugin in plugins if '.py' in str(plugin.source)]; "
        "print(json.dumps([[app['url_prefix'] for app in apps], errors, ours]))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=120)
    prefixes, errors, names = json.loads(done.stdout.splitlines()[-1])
    assert sparkify_page.PREFIX in prefixes
    assert errors == {}
    assert names == ["sparkify_page"]


def test_the_page_is_in_the_navigation_and_a_tab_of_a_dag() -> None:
    views = sparkify_page.WarehousePage.external_views
    assert [view["destination"] for view in views] == ["nav", "dag"]
    assert len({view["url_route"] for view in views}) == 2
    for view in views:
        for icon in (view["icon"], view["icon_dark_mode"]):
            assert (STATIC / str(icon).rpartition("/")[2]).is_file()


def test_the_chart_library_has_its_licence() -> None:
    (library,) = STATIC.glob("echarts-*.min.js")
    assert library.name in (STATIC / "index.html").read_text()
    assert library.name in (STATIC / "charts.js").read_text()
    assert "Apache License" in (STATIC / "echarts-LICENSE.txt").read_text()


def test_the_page_only_loads_its_own_files() -> None:
    for path in STATIC.iterdir():
        if not path.name.startswith(("echarts-", "icon")):
            assert "//" not in path.read_text().replace("// ", "").replace("http://www.w3.org/2000/svg", ""), path.name
