"""An upgrade of a loaded warehouse: today's code loads on, and leaves the tables of one single run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support import baseline
from tests.support.labs import EMPTY

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sandbox.lab import Lab

    Tables = dict[str, list[tuple[object, ...]]]


@pytest.fixture
def lab(empty_lab: Lab) -> Lab:
    """A lab without tables, to restore a dump."""
    return empty_lab


@pytest.fixture
def expected(make_lab: Callable[..., Lab]) -> Tables:
    """The tables of one single run over the same files, in a new warehouse."""
    lab = make_lab(EMPTY)
    with pytest.MonkeyPatch.context() as patch:
        for variable, value in lab.environment.items():
            patch.setenv(variable, value)
        baseline.put_files(baseline.history(lab))
        baseline.put_files(baseline.later(lab))
        baseline.load(lab, [[(baseline.DAYS[0], baseline.DAYS[-1])]])
    return lab.tables()


@pytest.mark.parametrize("dump", baseline.DUMPS, ids=lambda path: path.stem)
def test_an_upgraded_warehouse_has_the_tables_of_a_single_run(expected: Tables, lab: Lab, dump: Path) -> None:
    baseline.restore(lab, dump)
    assert lab.one("SELECT COUNT(*) FROM songplays") == 57
    baseline.load(lab, baseline.later(lab))
    assert all(expected.values())
    assert lab.tables() == expected


def test_a_dump_has_the_whole_warehouse(
    expected: Tables, lab: Lab, make_lab: Callable[..., Lab], tmp_path: Path
) -> None:
    baseline.load(lab, baseline.history(lab))
    path = tmp_path / "today.sql"
    path.write_text(baseline.dump(lab), encoding="utf-8")
    restored = make_lab(EMPTY)
    baseline.restore(restored, path)
    assert restored.tables() == lab.tables()
    assert path.read_text(encoding="utf-8") == baseline.dump(restored)
    baseline.load(lab, baseline.later(lab))
    assert lab.tables() == expected
