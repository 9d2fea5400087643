"""`make logs`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox import logs, up
from sandbox.live_state import StateRecorder, SupervisorFiles, SupervisorState
from sandbox.logs import Tail

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_a_tail_returns_new_lines(tmp_path: Path) -> None:
    file = tmp_path / "log"
    tail = Tail(file)
    assert tail.last(2) == []  # there is none so far
    file.write_bytes(b"a\nb\nc\nha")
    assert Tail(file).last(2) == ["b", "c"]
    assert Tail(file).last(0) == []
    assert tail.more() == ["a", "b", "c"]
    assert tail.more() == []
    with file.open("ab") as more:
        more.write(b"lf\r\n\xff\n")
    assert tail.more() == ["half", "�"]
    file.write_bytes(b"anew\n")
    assert tail.more() == ["anew"]


def test_a_long_log_is_read_from_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "MUCH", 100)
    file = tmp_path / "log"
    file.write_text("".join(f"line {number}\n" for number in range(1000)))
    assert Tail(file).last(3) == ["line 997", "line 998", "line 999"]


def test_each_log_line_has_its_component(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files, home = SupervisorFiles(tmp_path), tmp_path / "home"
    (home / "logs").mkdir(parents=True)
    StateRecorder(files, SupervisorState(1, "2026-11-20T12:00:00+00:00", home=str(home)))
    files.feeder_log.write_text("fed [1]\n")
    (home / "logs" / "scheduler.log").write_text("scheduled\n")
    words = ["logs", "--no-follow", "--state", str(tmp_path)]
    assert up.main(words) == 0
    printed = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert printed == [["feeder", "fed", "[1]"], ["scheduler", "scheduled"]]
    assert up.main([*words, "scheduler"]) == 0
    assert capsys.readouterr().out == "scheduled\n"
    assert up.main([*words, "sheduler"]) == 2
    assert "Unknown component sheduler: expected supervisor, feeder" in " ".join(capsys.readouterr().out.split())
