"""For each rule of SQL, valid and invalid examples."""

from __future__ import annotations

from tests.unit.sql_rules.examples import changes, dialect, keys, queries, semantics

EXAMPLES = {
    **dialect.EXAMPLES,
    **semantics.EXAMPLES,
    **queries.EXAMPLES,
    **changes.EXAMPLES,
    **keys.EXAMPLES,
}
