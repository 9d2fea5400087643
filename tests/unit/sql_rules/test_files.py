"""``make check-sql``: files, templates and check declarations are reported with the lines of the files."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from sql_rules.__main__ import main
from tests.conftest import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Report = Callable[..., tuple[int, list[str]]]

LOAD = """{% set id = "MD5(CAST(e.sessionid AS VARCHAR(20)))" %}
-- Candidates.
SELECT
    {{ id }} AS id,
    {% for column in ["level", "page"] %}
    e.{{ column }},
    {% endfor %}
    NVL(e.userid, 0) AS user_id
FROM staging_events AS e
INNER JOIN songs AS s
    ON e.song = RTRIM(s.title)
WHERE {{ scope("e.interval_time", lookup="s.batch_id", id=id) }}
"""
CHECKS = """table: devices
key: device_id
interval: interval_time
checks:
  - name: blocks keep their lines
    sql: |
      SELECT device_id
      FROM devices
      WHERE GETDATE() > interval_time AND {{ scope("interval_time") }}
    why: w
    remedy: r
  - name: so do lines
    why: w
    remedy: r
    sql: SELECT device_id FROM devices WHERE NVL(device_id, 0) = 1
  - name: what others are made of has the line of the check
    agreement: {with: staging_events, interval: interval_time, key: LEN(page), is: device_id}
    why: w
    remedy: r
  - name: free text
    unique: model
    why: w
    remedy: r
"""
DDL = "CREATE TABLE devices (device_id BIGINT, model VARCHAR(256), interval_time TIMESTAMP);\n"


@pytest.fixture
def report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    """A function that checks files, given by name and text; it returns the exit code and the printed lines."""

    def check(**files: str) -> tuple[int, list[str]]:
        paths = []
        for name, text in files.items():
            path = tmp_path / name.replace("__", "/").replace("_", ".")
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
            paths.append(str(path))
        code = main(paths)
        return code, capsys.readouterr().out.replace(f"{tmp_path}/", "").splitlines()

    return check


def places(lines: list[str]) -> list[str]:
    """Return the file, line and rule of each violation."""
    return [found[0] for line in lines if (found := re.match(r"[\w./]+:\d+: [\w ]+(?=: )", line))]


@pytest.mark.slow  # make lint checks the same
def test_the_project_has_no_violations(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    assert re.fullmatch(r"No violations in \d\d files\.\n", capsys.readouterr().out)


def test_a_template_is_reported_with_its_own_lines(report: Report) -> None:
    code, lines = report(load_sql=LOAD)
    assert code == 1
    assert places(lines) == ["load.sql:8: function", "load.sql:11: trailing blanks"]
    assert lines[0].endswith("NVL is not the same on both engines; write COALESCE(a, b): NVL")
    assert lines[-1] == "Violations: 2, in files: 1. docs/sql.md explains the rules."


def test_rendered_lines_have_the_line_of_their_tag(report: Report) -> None:
    code, lines = report(load_sql="{% set ids %}1\n, NVL(2, 3)\n{% endset %}\nSELECT\n{{ ids }}\n, NVL(4, 5)\n")
    assert code == 1
    assert places(lines) == ["load.sql:5: function", "load.sql:6: function"]


def test_checks_are_reported_with_their_lines(report: Report) -> None:
    code, lines = report(devices_sql=DDL, checks_yaml=CHECKS)
    assert code == 1
    assert places(lines) == [
        "checks.yaml:9: function",
        "checks.yaml:15: function",
        "checks.yaml:16: function",
        "checks.yaml:20: trailing blanks",
    ]


def test_tables_created_by_the_files_are_known(report: Report) -> None:
    wrong = "SELECT d.device_id FROM devices AS d WHERE d.model = 'x'\n"
    assert report(query_sql=wrong)[0] == 0
    code, lines = report(devices_sql=DDL, query_sql=wrong)
    assert (code, places(lines)) == (1, ["query.sql:1: trailing blanks"])


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("broken_sql", "SELECT 1 AS a;\nSELECT a FROM t WHERE\n", "broken.sql:2: syntax"),
        ("template_sql", "SELECT 1 AS a;\n\nSELECT {{ 1 + }} AS a", "template.sql:3: template"),
        ("unknown_sql", "SELECT {{ nothing }} AS a\n", "unknown.sql:1: template"),
        ("empty_sql", "", "empty.sql:1: syntax"),
        ("checks_yaml", "table: t\nkey: id\nchecks:\n  - name: x\n", "checks.yaml:4: check"),
        ("checks_yaml", "table: [", "checks.yaml:2: check"),
    ],
)
def test_unreadable_files_are_reported(report: Report, name: str, text: str, expected: str) -> None:
    code, lines = report(**{name: text})
    assert code == 1
    assert expected in places(lines)


def test_indexes_are_only_allowed_for_postgres(report: Report) -> None:
    index = "CREATE INDEX IF NOT EXISTS t_a ON t (a);\n"
    assert report(postgres__indexes_sql=index)[0] == 0
    assert places(report(load__indexes_sql=index)[1]) == ["load/indexes.sql:1: index"]


@pytest.mark.parametrize("name", ["missing.sql", "Makefile"])
def test_an_unsupported_path_is_named(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([name]) == 2
    assert name in capsys.readouterr().err


def test_deployed_code_does_not_import_tests() -> None:
    files = [path for folder in ("plugins", "dags") for path in (ROOT / folder).rglob("*.py")]
    assert len(files) > 100
    assert [path for path in files if re.search(r"^\s*(from|import) tests\b", path.read_text(), re.MULTILINE)] == []


def test_the_docs_list_all_functions_and_rules() -> None:
    from sql_rules import FUNCTIONS, RULES

    text = (ROOT / "docs" / "sql.md").read_text()
    assert [name for name in FUNCTIONS if f"`{name}`" not in text] == []
    assert [name for name in RULES if f"`{name}`" not in text] == []
