"""A definition is the same if only comments and white space differ."""

from __future__ import annotations

import pytest

from sparkify.schema.definition import fingerprint

SELECT = "-- Candidates.\nSELECT\n    e.id,  -- Key.\n    '--' AS note\nFROM events AS e\nWHERE {{ scope('e.t') }}\n"


@pytest.mark.parametrize(
    ("select", "keys", "same"),
    [
        (SELECT.replace("-- Candidates.\n", "/* Other words. */ "), ["id"], True),
        (SELECT.replace("    ", "  "), ["id"], True),
        (SELECT.replace("e.id", "e.other AS id"), ["id"], False),
        (SELECT.replace("'--'", "'- -'"), ["id"], False),
        (SELECT.replace("'e.t'", "'e.u'"), ["id"], False),
        (SELECT, ["id", "note"], False),
    ],
)
def test_fingerprint(select: str, keys: list[str], same: bool) -> None:
    assert (fingerprint(select, keys) == fingerprint(SELECT, ["id"])) is same
