"""``make check-project``: inconsistencies between the project's files are reported."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sparkify.loading.history import History
from sql_rules.project import check

if TYPE_CHECKING:
    from pathlib import Path

FILES = {
    "include/sql/ddl/devices.sql": """-- One row per device.
--
-- DISTSTYLE AUTO: a reason.
CREATE TABLE IF NOT EXISTS devices (
    -- Serial number of the device.
    device_id BIGINT,
    -- Model, as the device reports it (UTF-8).
    model VARCHAR(256),
    -- Audit: the batch.
    batch_id BIGINT,
    -- Audit: the version.
    row_version VARCHAR(9)
);

-- Devices as delivered.
CREATE TABLE IF NOT EXISTS staging_devices (
    -- Serial number.
    id BIGINT,
    -- Name that the owner chose. Personal.
    name VARCHAR(256),
    -- Audit: the batch. Unit: batches. Personal.
    batch_id BIGINT
);
""",
    "include/sql/load/devices.sql": """-- Candidates.
{% set version = "'1'" %}
SELECT
    s.id AS device_id,
    s.name AS model,
    s.batch_id,
    {{ version }} AS row_version
FROM staging_devices AS s
WHERE {{ scope("s.batch_id", device_id="s.id") }}
""",
    "include/sql/analytics/devices.sql": """WITH known AS (SELECT device_id FROM devices)

SELECT COUNT(k.device_id) AS devices
FROM known AS k;
""",
    "include/checks/devices.yaml": """table: devices
key: device_id
checks:
  - name: unique
    unique: device_id
    scope: table
    why: w
    remedy: r
  - name: known
    relationship: {column: device_id, to: staging_devices.id}
    scope: table
    why: w
    remedy: r
""",
    "dags/devices.py": """
LoadDimensionOperator(
    task_id="load_devices",
    table="devices",
    keys=["device_id"],
    sql="load/devices.sql",
    source="staging_devices",
    mode="{{ params.mode }}",
    outlets=[table("devices")],
)
""",
}
DDL, LOAD, QUESTION, CHECKS, DAG = FILES


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def test_consistent_files_have_no_violations(project: Path) -> None:
    assert check(project) == []


@pytest.mark.parametrize(
    ("name", "old", "new", "expected"),
    [
        (DDL, "TABLE IF NOT EXISTS devices", "TABLE devices", (DDL, 4, "ddl", "this file")),
        (DDL, "-- One row per device.\n", "", (DDL, 3, "description", "devices")),
        (DDL, "-- Devices as delivered.\n", "", (DDL, 15, "description", "staging_devices")),
        (DDL, "-- Devices as delivered.\n", "-- A note.\n\n", (DDL, 17, "description", "staging_devices")),
        (DDL, "    -- Serial number of the device.\n", "", (DDL, 5, "description", "device_id")),
        (DDL, "    -- Serial number.\n", "", (DDL, 17, "description", "id")),
        (DDL, "-- Name that the owner chose. Personal.", "-- Personal.", (DDL, 20, "description", "name")),
        (DDL, "chose. Personal.", "chose. Personal. Unit: letters.", (DDL, 20, "description", "name")),
        (DDL, "chose. Personal.", "chose, Personal.", (DDL, 20, "description", "name")),
        (DDL, "chose. Personal.", "chose", (DDL, 20, "description", "name")),
        (DDL, "the owner chose", "the owner chose " + "x" * 500, (DDL, 20, "description", "name")),
        (LOAD, "s.name AS model", "s.name AS maker", (LOAD, 5, "load", "maker")),
        (LOAD, "    s.batch_id,\n", "", (LOAD, 4, "load", "batch_id")),
        (LOAD, "s.name AS", "MIN(s.name) AS", (LOAD, 5, "load", "model")),
        (LOAD, "s.name AS", "(SELECT MAX(o.name) FROM staging_devices AS o) AS", (LOAD, 5, "load", "model")),
        (LOAD, "s.name AS", "ROW_NUMBER() OVER (PARTITION BY s.id ORDER BY s.name) AS", (LOAD, 5, "load", "model")),
        (
            LOAD,
            "staging_devices AS s",
            "(SELECT id, MIN(name) AS name, batch_id FROM staging_devices GROUP BY id, batch_id) AS s",
            (LOAD, 5, "load", "model"),
        ),
        (LOAD, "s.name", "s.label", (LOAD, 5, "column", "label")),
        (LOAD, "staging_devices", "staged_devices", (LOAD, 8, "table", "staged_devices AS s")),
        (QUESTION, "COUNT(k.device_id)", "COUNT(k.model)", (QUESTION, 3, "column", "model")),
        (QUESTION, "FROM known", "FROM unknown", (QUESTION, 4, "table", "unknown AS k")),
        (CHECKS, "table: devices", "table: device", (CHECKS, 1, "table", "device")),
        (CHECKS, "unique: device_id", "unique: serial", (CHECKS, 4, "column", "serial")),
        (CHECKS, "staging_devices.id", "staging_devices.number", (CHECKS, 9, "column", "number")),
        (CHECKS, "staging_devices.id", "makers.id", (CHECKS, 9, "table", "makers AS parent")),
        (DAG, 'table="devices"', 'table="device"', (DAG, 4, "table", "device")),
        (DAG, 'table("devices")', 'table("device")', (DAG, 9, "table", "device")),
        (DAG, 'source="staging_devices"', 'source="staging"', (DAG, 7, "table", "staging")),
        (DAG, '["device_id"]', '["id"]', (DAG, 5, "column", "id")),
        (DAG, "load/devices.sql", "load/device.sql", (DAG, 6, "file", "load/device.sql")),
        (DAG, 'sql="load/devices.sql",', "sql=", (DAG, 7, "syntax", "Python")),
    ],
)
def test_an_inconsistency_is_reported_with_its_line(
    project: Path, name: str, old: str, new: str, expected: tuple[str, int, str, str]
) -> None:
    text = (project / name).read_text()
    assert old in text
    (project / name).write_text(text.replace(old, new, 1))
    found = {
        (path.relative_to(project).as_posix(), item.line, item.rule, item.excerpt) for path, item in check(project)
    }
    assert expected in found
    assert {path for path, *_ in found} <= {expected[0], LOAD}


def test_a_row_chosen_by_a_window_is_not_an_aggregate(project: Path) -> None:
    ranked = "(SELECT *, ROW_NUMBER() OVER (PARTITION BY id ORDER BY name) AS n FROM staging_devices) AS s"
    text = (project / LOAD).read_text().replace("staging_devices AS s\nWHERE", f"{ranked}\nWHERE s.n = 1 AND")
    assert "s.n" in text
    (project / LOAD).write_text(text)
    assert check(project) == []


def strategy(project: Path, operator: str, columns: str, select: str) -> list[tuple[str, int, str]]:
    """Load the table devices, with other columns and another SELECT, by an operator; return the violations."""
    ddl = FILES[DDL]
    own = ddl.partition("    -- Serial number of the device.\n")[2].partition(");")[0]
    described = "".join(f"    -- What it is.\n    {column}" + ",\n" for column in columns.split(", "))
    (project / DDL).write_text(ddl.replace(own, described.removesuffix(",\n") + "\n", 1))
    (project / LOAD).write_text(select)
    (project / QUESTION).unlink(missing_ok=True)
    (project / CHECKS).unlink(missing_ok=True)
    (project / DAG).write_text(
        f'Load{operator}Operator(table="devices", sql="load/devices.sql", facts="staging_devices")'
    )
    return [(path.relative_to(project).as_posix(), item.line, item.excerpt) for path, item in check(project)]


GROUPED = """SELECT
    f.name,
    COUNT(*) AS devices
FROM staging_devices AS f
WHERE {{ scope("f.batch_id", name="f.name") }}
GROUP BY f.name
"""


def test_an_aggregate_may_aggregate(project: Path) -> None:
    assert strategy(project, "Aggregate", "name VARCHAR(256), devices BIGINT", GROUPED) == []
    assert strategy(project, "Dimension", "name VARCHAR(256), devices BIGINT", GROUPED) == [(LOAD, 3, "devices")]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (', name="f.name"', "", "scope"),
        ('name="f.name"', 'label="f.name"', "label"),
        ('name="f.name"', 'name="name"', "name"),
        ('name="f.name"', 'name="g.name"', "g.name"),
        ("staging_devices AS f", "staging_devices AS g", "staging_devices AS g"),
        ("staging_devices AS f", "devices AS f", "devices AS f"),
        ("GROUP", "AND f.id IN (SELECT o.id FROM staging_devices AS o)\nGROUP", "staging_devices AS o"),
    ],
)
def test_the_groups_of_an_aggregate_can_be_recomputed(project: Path, old: str, new: str, expected: str) -> None:
    assert old in GROUPED
    found = strategy(project, "Aggregate", "name VARCHAR(256), devices BIGINT", GROUPED.replace(old, new))
    assert expected in [excerpt for _, _, excerpt in found]


SPANS = "SELECT s.id, s.name AS valid_from FROM staging_devices AS s WHERE {{ scope('s.batch_id', id='s.id') }}"
SPAN_COLUMNS = (
    "id BIGINT, valid_from VARCHAR(256), valid_to VARCHAR(256), is_current BOOLEAN, last_interval_time TIMESTAMP"
)


def test_a_history_has_computed_columns(project: Path) -> None:
    assert strategy(project, "History", SPAN_COLUMNS, SPANS) == []
    assert strategy(project, "Fact", SPAN_COLUMNS, SPANS) == [(LOAD, 1, name) for name in History.computed]


def test_the_computed_columns_of_a_history_are_declared_and_not_selected(project: Path) -> None:
    assert strategy(project, "History", SPAN_COLUMNS, SPANS.replace("s.id,", "s.id, TRUE AS is_current,")) == [
        (LOAD, 1, "is_current")
    ]
    assert strategy(project, "History", "id BIGINT, valid_from VARCHAR(256), valid_to BIGINT", SPANS) == [
        (LOAD, 1, "is_current"),
        (LOAD, 1, "last_interval_time"),
    ]


def test_an_unreadable_file_is_left_to_check_sql(project: Path) -> None:
    (project / LOAD).write_text("SELECT {{ 1 + }} FROM (\n")
    (project / CHECKS).write_text("table: [")
    assert check(project) == []
