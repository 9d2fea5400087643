"""Distribution, sort and foreign keys."""

from __future__ import annotations

from tests.unit.sql_rules.examples.example import Examples


def columns(count: int) -> str:
    return ", ".join(f"c{number}" for number in range(count))


def wide(count: int, keys: str) -> str:
    return f"CREATE TABLE t ({', '.join(f'c{number} INTEGER' for number in range(count))}) {keys}"


EXAMPLES = {
    "distribution": Examples(
        [f"CREATE TABLE t (a INTEGER, b INTEGER) {keys}" for keys in ("DISTSTYLE KEY DISTKEY (a)", "DISTKEY (a)", "DISTSTYLE ALL")],  # noqa: E501
        [
            *(f"CREATE TABLE t (a INTEGER, b INTEGER) {keys}" for keys in (
                "DISTSTYLE KEY", "DISTSTYLE EVEN DISTKEY (a)", "DISTSTYLE ALL DISTKEY (a)", "DISTKEY (c)",
                "DISTKEY (a) DISTKEY (b)", "DISTSTYLE ALL DISTSTYLE EVEN",
            )),
            "CREATE TABLE t (a INTEGER DISTKEY, b INTEGER DISTKEY)",
            "CREATE TABLE t (a INTEGER DISTKEY, b INTEGER) DISTSTYLE ALL",
        ],
    ),
    "sort key": Examples(
        ["CREATE TABLE t (a DECIMAL(10, 2), b INTEGER) COMPOUND SORTKEY (a, b)", wide(400, f"SORTKEY ({columns(400)})")],  # noqa: E501
        [
            "CREATE TABLE t (a INTEGER) SORTKEY (b)",
            "CREATE TABLE t (a INTEGER) SORTKEY (a) SORTKEY (a)",
            "CREATE TABLE t (a INTEGER SORTKEY, b INTEGER) SORTKEY (b)",
            wide(401, f"SORTKEY ({columns(401)})"),
            wide(9, f"INTERLEAVED SORTKEY ({columns(9)})"),
        ],
    ),
    "key clause": Examples(
        ["CREATE TABLE t (a INTEGER) DISTKEY (a) SORTKEY (a)"],
        [
            "CREATE TABLE t (a INTEGER DISTKEY SORTKEY, b INTEGER)",
            "CREATE TABLE t (a INTEGER) SORTKEY AUTO",
            "CREATE TABLE t (a INTEGER) INTERLEAVED SORTKEY (a)",
            "CREATE TABLE t (a INTEGER) BACKUP NO",
            "CREATE TABLE t (a INTEGER) ENCODE AUTO",
        ],
    ),
    "foreign key": Examples(
        ["CREATE TABLE t (a INTEGER, PRIMARY KEY (a))"],
        ["CREATE TABLE t (a INTEGER REFERENCES u (a))", "CREATE TABLE t (a INTEGER, FOREIGN KEY (a) REFERENCES u (a))"],
    ),
}  # fmt: skip
