"""DML and DDL that Redshift does not support."""

from __future__ import annotations

from tests.unit.sql_rules.examples.example import MATCHED, MERGE, NOT_MATCHED, Examples

EXAMPLES = {
    "returning": Examples(
        ["DELETE FROM t WHERE a = 1"],
        ["UPDATE t SET a = 1 RETURNING a", "DELETE FROM t RETURNING a", "INSERT INTO t (a) VALUES (1) RETURNING a"],
    ),
    "conflict": Examples([MERGE], ["INSERT INTO t (a) VALUES (1) ON CONFLICT DO NOTHING"]),
    "index": Examples(["CREATE TABLE t (a INTEGER) SORTKEY (a)"], ["CREATE INDEX i ON t (a)", "DROP INDEX i"]),
    "alias": Examples(
        ["DELETE FROM t USING b WHERE t.a = b.a"],
        ["DELETE FROM t AS x WHERE x.a = 1", "UPDATE t AS x SET a = 1", MERGE.replace("t USING", "t AS x USING")],
    ),
    "assignment": Examples(
        ["UPDATE t SET a = 1, b = 2"],
        ["UPDATE t SET (a, b) = (1, 2)", "UPDATE t SET t.a = 1", MERGE.replace("SET a", "SET t.a")],
    ),
    "changed join": Examples(
        ["UPDATE t SET a = b.a FROM b INNER JOIN c ON b.id = c.id WHERE t.id = b.id"],
        [
            "UPDATE t SET a = b.a FROM t AS u LEFT JOIN b ON u.id = b.id WHERE t.id = u.id",
            "DELETE FROM t USING b FULL JOIN c ON b.id = c.id WHERE t.id = b.id",
        ],
    ),
    "merge": Examples(
        [MERGE, MERGE.replace("t.id = b.id", "(t.id = b.id AND t.a = b.a)"), MERGE.replace(MATCHED, "WHEN MATCHED THEN DELETE")],  # noqa: E501
        [
            MERGE.replace(NOT_MATCHED, ""),
            MERGE.replace(MATCHED, ""),
            MERGE.replace("USING b", "USING (SELECT c.id, c.a FROM c) AS b"),
            MERGE.replace("WHEN MATCHED", "WHEN MATCHED AND b.a > t.a"),
            MERGE.replace("t.id = b.id", "t.id > b.id"),
            MERGE.replace("t.id = b.id", "t.id = b.id OR t.a = b.a"),
            f"WITH c AS (SELECT 1 AS a) {MERGE}",
        ],
    ),
}  # fmt: skip
