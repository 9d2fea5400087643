"""Check that SQL, checks and DAGs only reference declared tables and columns, which are described.

python -m sql_rules.project
"""

from __future__ import annotations

import argparse
import ast
import re
import sys
from typing import TYPE_CHECKING, NamedTuple

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.qualify import qualify
from sqlglot.schema import MappingSchema

from sandbox.airflow import ROOT
from sparkify.quality import declaration
from sparkify.sql import predicates, templates
from sparkify.warehouse import ddl
from sql_rules import files
from sql_rules.__main__ import show
from sql_rules.descriptions import check_descriptions
from sql_rules.loads import AGGREGATE, SCHEMA, check_groups, check_load
from sql_rules.parsing import line_of
from sql_rules.rule import Violation

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from sqlglot.schema import Schema

    # Columns by name with their types, by table.
    Tables = Mapping[str, Mapping[str, str]]

# Parameters of the project's operators that name tables, columns and files.
TABLES = ("table", "source", "lookup", "facts", "changes")
COLUMNS = ("keys", "lookup_column", "interval_column", "partition_column")
FILES = ("sql", "postgres_sql", "queries", "template")


class DagCall(NamedTuple):
    """A call in a DAG file: of an operator, or of ``table`` of :mod:`sparkify.dag.assets`.

    :param name: the name of the called class or function.
    :param arguments: the string arguments by parameter, each with its line.
    """

    name: str
    arguments: Mapping[str, list[tuple[str, int]]]


def check(root: Path = ROOT) -> list[tuple[Path, Violation]]:
    """Return the inconsistencies between a project's files, with their lines.

    :param root: the folder with ``dags`` and ``include``.
    """
    include = root / "include"
    folder = include / "sql" / "ddl"
    try:
        declared = ddl.read(folder, include / "sql" / "views", include / "sql" / "metrics")
    except ddl.DdlError as error:
        where, _, text = str(error).partition(": ")
        return [(_path(folder, where), Violation("ddl", "this file", int(where.partition(" line ")[2] or 1), text))]
    tables = {table.name: table.types for table in declared.values() if table}
    tables |= {str(view.creates): _columns_of(view) for view in declared if view.kind == "VIEW"}
    found = [
        (_path(folder, statement.where), item)
        for statement, table in declared.items()
        if table
        for item in check_descriptions(statement, table)
    ]
    for path in sorted(include.glob("sql/**/*.sql")):
        if path.parent.name not in ("ddl", "operations", "postgres"):
            text, lines, _ = files.render(path)
            found += [
                (path, item._replace(line=lines[min(item.line, len(lines)) - 1])) for item in _of_sql(text, tables)
            ]
    for path in sorted(include.glob("checks/*.yaml")):
        found += [(path, item) for item in _of_checks(path, tables)]
    for path in sorted(root.glob("dags/**/*.py")):
        found += _of_dag(path, include, tables)
    return found


def _columns_of(view: ddl.Statement) -> dict[str, str]:
    """Return the columns of a view; their types are unknown."""
    return dict.fromkeys(view.tree.expression.named_selects, "UNKNOWN")


def _path(folder: Path, where: str) -> Path:
    """Return the file of a statement; the folder if there is none.

    :param where: the file's name and a line.
    """
    return next(folder.rglob(where.partition(" line ")[0]), folder)


def _of_sql(sql: str, tables: Tables) -> Iterator[Violation]:
    """Yield the undeclared tables and columns of SELECTs."""
    schema = _schema(tables)
    for select in _selects(sql):
        own = {cte.alias for cte in select.find_all(exp.CTE)}
        unknown = [
            table
            for table in select.find_all(exp.Table)
            if (name := f"{table.db}.{table.name}".lstrip(".").lower()) not in tables and name not in own
        ]
        for table in unknown:
            yield Violation("table", table.sql(), line_of(table), _no_table(tables))
        if unknown:
            continue
        try:
            qualify(select.copy(), schema=schema, db=SCHEMA, dialect="redshift")
        except SqlglotError as error:
            yield _unresolved(str(error), select)


def _schema(tables: Tables) -> Schema:
    """Return the declared tables as sqlglot's optimizer takes them."""
    schema = MappingSchema(dialect="redshift")
    for name, columns in tables.items():
        place, _, last = name.rpartition(".")
        schema.add_table(exp.table_(last, db=place or SCHEMA), dict(columns), dialect="redshift")
    return schema


def _selects(sql: str) -> list[exp.Query]:
    """Return the SELECTs of a script; none if it cannot be parsed, which check-sql reports."""
    try:
        return [tree for tree in sqlglot.parse(sql, read="redshift") if isinstance(tree, exp.Query)]
    except SqlglotError:
        return []


def _unresolved(message: str, select: exp.Query) -> Violation:
    """Convert sqlglot's error about an unknown column."""
    text = re.sub(r"\.? Line: \d+.*", "", message.partition("\n")[0])
    named = re.search(r"Column '(.+?)'|Unknown column: (\S+)", message)
    name = next(filter(None, named.groups()), "") if named else ""
    places = [line_of(column) for column in select.find_all(exp.Column) if column.name == name]
    return Violation("column", name or text, min(places, default=1), f"{text}; name a column of include/sql/ddl")


def _of_checks(path: Path, tables: Tables) -> Iterator[Violation]:
    """Yield the undeclared tables and columns of checks."""
    try:
        text = path.read_text(encoding="utf-8")
        checks = declaration.parse(text, path.name)
    except (declaration.DeclarationError, UnicodeDecodeError):
        return  # check-sql reports it
    for item in checks:
        at = int(item.where.rpartition(" ")[2])
        if item.table not in tables:
            at = 1 + next((n for n, row in enumerate(text.splitlines()) if row.startswith("table:")), 0)
            yield Violation("table", item.table, at, _no_table(tables))
            return
        missing = sorted(item.columns - set(tables[item.table]))
        for name in missing:
            yield Violation("column", name, at, _no_column(item.table, tables))
        if not missing:
            for sql in files.statements_of(item):
                yield from (found._replace(line=at) for found in _of_sql(sql, tables))


def _of_dag(path: Path, include: Path, tables: Tables) -> Iterator[tuple[Path, Violation]]:
    """Yield the missing tables, columns and files of a DAG, and load SELECTs that do not match their tables."""
    try:
        calls = list(_calls(path))
    except SyntaxError as error:
        yield path, Violation("syntax", "Python", error.lineno or 1, error.msg)
        return
    for call in calls:
        named = [item for name in TABLES for item in call.arguments.get(name, [])]
        for table, at in named:
            if table not in tables:
                yield path, Violation("table", table, at, _no_table(tables))
        (table, _), *_ = [*call.arguments.get("table", []), ("", 0)]
        for name, at in (item for parameter in COLUMNS for item in call.arguments.get(parameter, [])):
            if table in tables and name not in tables[table]:
                yield path, Violation("column", name, at, _no_column(table, tables))
        for name, at in (item for parameter in FILES for item in call.arguments.get(parameter, [])):
            if not any((include / folder / name).is_file() for folder in ("sql", "reports")):
                yield path, Violation("file", name, at, "Missing file: expected below include/sql or include/reports")
            elif call.name.startswith("Load") and table in tables:
                select = include / "sql" / name
                yield from ((select, item) for item in _of_load(select, include, table, call, _schema(tables)))


def _of_load(path: Path, include: Path, table: str, call: DagCall, schema: Schema) -> Iterator[Violation]:
    text, lines, problems = files.render(path)
    for select in _selects(text):
        found = list(check_load(select, table, call.name, schema))
        if call.name == AGGREGATE and not problems:
            (facts, _), *_ = [*call.arguments.get("facts", []), ("", 0)]
            found += check_groups(select, table, _groups(path, include), facts, schema)
        yield from (item._replace(line=lines[item.line - 1]) for item in found)


def _groups(path: Path, include: Path) -> predicates.Groups:
    """Return what a SELECT passes to its scope."""
    groups = predicates.Groups()
    templates.environment(include / "sql").from_string(path.read_text(encoding="utf-8")).render(scope=groups)
    return groups


def _calls(path: Path) -> Iterator[DagCall]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"), str(path))):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
            continue
        if node.func.id == "table" and node.args:
            yield DagCall("table", {"table": list(_texts(node.args[0]))})
        elif node.func.id.endswith("Operator"):
            yield DagCall(node.func.id, {item.arg: list(_texts(item.value)) for item in node.keywords if item.arg})


def _texts(node: ast.expr) -> Iterator[tuple[str, int]]:
    """Yield the string constants of an argument, each with its line, except templates."""
    for item in node.elts if isinstance(node, ast.List | ast.Tuple) else [node]:
        if isinstance(item, ast.Constant) and isinstance(item.value, str) and "{{" not in item.value:
            yield item.value, item.lineno


def _no_table(tables: Iterable[str]) -> str:
    return f"Unknown table: expected one of {', '.join(sorted(tables))}, as declared in include/sql/ddl"


def _no_column(table: str, tables: Tables) -> str:
    return f"Unknown column of {table}: expected one of {', '.join(tables[table])}"


def main(arguments: list[str] | None = None) -> int:
    """Print one line per violation in the project's files, those of check-sql included; see :func:`show`.

    :param arguments: command-line arguments.
    :return: 1 if there are violations, else 0.
    """
    argparse.ArgumentParser(prog="make check-project", description=(__doc__ or "").partition("\n")[0]).parse_args(
        arguments
    )
    paths = files.project_files()
    return show([*files.check(paths), *check()], paths)


if __name__ == "__main__":
    sys.exit(main())
