"""The type of the examples, and SQL that several of them share."""

from __future__ import annotations

from typing import NamedTuple

MATCHED = "WHEN MATCHED THEN UPDATE SET a = b.a"
NOT_MATCHED = "WHEN NOT MATCHED THEN INSERT (id, a) VALUES (b.id, b.a)"
MERGE = f"MERGE INTO t USING b ON t.id = b.id {MATCHED} {NOT_MATCHED}"


class Examples(NamedTuple):
    """Examples of a rule.

    :param valid: SQL without violations of any rule.
    :param invalid: SQL that violates the rule.
    """

    valid: list[str]
    invalid: list[str]
