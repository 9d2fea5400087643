"""Render the SQL of Jinja templates and check declarations, and map its lines to those of the files."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from sqlfluff.core import FluffConfig, Linter

from sandbox.airflow import ROOT
from sparkify.interval import Interval
from sparkify.quality import declaration, sql
from sparkify.quality.kinds.custom_sql import CustomSql
from sparkify.quality.kinds.kind import NumberKind, RowKind
from sql_rules import Tables, Violation, project_tables, tables_of, violations

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

INCLUDE = ROOT / "include"
# Checks are rendered for this interval; any interval would do.
_INTERVAL = Interval.parse("2018-11-01", "2018-11-02")


def project_files() -> list[Path]:
    """Return the project's files with SQL for both engines."""
    return sorted([*INCLUDE.glob("sql/**/*.sql"), *INCLUDE.glob("checks/*.yaml")])


def check(paths: Iterable[Path]) -> list[tuple[Path, Violation]]:
    """Return the violations in files, with the lines of the files.

    :param paths: .sql files, which may be Jinja templates that call ``scope``, and .yaml files that declare checks.
        Files in a folder named postgres are skipped: only PostgreSQL reads them.
    """
    scripts = [path for path in paths if path.parent.name != "postgres"]
    rendered = {path: render(path) for path in scripts if path.suffix == ".sql"}
    tables = {**project_tables()}
    for text, _, _ in rendered.values():
        if "CREATE" in text.upper():
            tables.update(tables_of(text))
    found = []
    for path in scripts:
        if path.suffix == ".sql":
            sql, lines, problems = rendered[path]
            of_file = problems or [
                item._replace(line=lines[min(item.line, len(lines)) - 1]) for item in violations(sql, tables)
            ]
        else:
            of_file = _of_checks(path, tables)
        found += [(path, item) for item in dict.fromkeys(of_file)]
    return found


@cache
def _templater() -> Linter:
    return Linter(config=FluffConfig.from_path(str(ROOT)))


def render(path: Path) -> tuple[str, list[int], list[Violation]]:
    """Return the rendered text of a template, the source line of each of its lines, and the problems.

    sqlfluff renders it, with the macro ``scope`` of the project's configuration.
    """
    linter = _templater()
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        return "", [1], [Violation("template", str(error), 1, "Not UTF-8; save the file as UTF-8")]
    result = linter.render_string(text, str(path), linter.config, "utf-8")
    problems = [
        Violation("template", item.desc(), item.line_no, "Invalid template") for item in result.templater_violations
    ]
    if not result.templated_variants:
        return "", [1], problems
    (rendered, *_) = result.templated_variants
    lines, at = [], 0
    for line in rendered.templated_str.splitlines(keepends=True) or [""]:
        part = next((part for part in rendered.sliced_file if at < part.templated_slice.stop), None)
        source = part.source_slice.start if part else 0
        if part and part.slice_type == "literal":  # anything else, such as an include, has the line of its tag
            source += at - part.templated_slice.start
        lines.append(text.count("\n", 0, source) + 1)
        at += len(line)
    return rendered.templated_str, lines, problems


def _of_checks(path: Path, tables: Tables) -> list[Violation]:
    """Return the violations in the SQL of checks, both declared and generated."""
    try:
        checks = declaration.parse(path.read_text(encoding="utf-8"), path.name)
    except (declaration.DeclarationError, UnicodeDecodeError) as error:
        return [_of_declaration(problem, path.name) for problem in str(error).splitlines()]
    found: list[Violation] = []
    for item in checks:
        line = int(item.where.rpartition(" ")[2])
        offset = _first_line(path, line) if isinstance(item.kind, CustomSql) else 0
        found += [
            problem._replace(line=offset + problem.line if offset else line)
            for statement in statements_of(item)
            for problem in violations(statement, tables)
        ]
    return found


def statements_of(check: declaration.Check) -> Iterator[str]:
    """Yield the SQL statements that evaluate a check."""
    rows = check.rows(_INTERVAL)
    if measure := check.kind.aggregate(rows):
        yield sql.render("scans", scans=[{"table": check.table, "where": rows.where(), "measures": [measure]}])
    if isinstance(check.kind, NumberKind):
        if select := check.kind.select(rows):
            yield select
    elif isinstance(check.kind, RowKind):
        yield check.kind.failing(rows)


def _first_line(path: Path, line: int) -> int:
    """Return the line before the first line of a check's SQL.

    :param line: the first line of the check.
    """
    lines = path.read_text(encoding="utf-8").splitlines()
    at = next(number for number in range(line, len(lines) + 1) if lines[number - 1].lstrip(" -").startswith("sql:"))
    block = lines[at - 1].partition("sql:")[2].strip()[:1] in ("|", ">", "")
    return at if block else at - 1


def _of_declaration(problem: str, name: str) -> Violation:
    line, _, text = problem.removeprefix(f"{name} line ").partition(": ")
    return Violation("check", text, int(line) if line.isdigit() else 1, "Invalid declaration of checks")
