"""The generator as a command: its options, its files and its output."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import pytest

from sandbox.generate import Options, events, main, songs, write

if TYPE_CHECKING:
    from pathlib import Path


def test_writing_makes_the_files_of_the_public_layout(tmp_path: Path) -> None:
    options = Options(users=80, songs=30, days=2, start=date(2018, 12, 31))
    finished: list[Path] = []
    summary = write(options, tmp_path / "new", finished.append)
    files = [path for path in (tmp_path / "new").rglob("*") if path.is_file()]
    assert sorted(finished) == sorted(files)
    logs = [
        tmp_path / "new/log_data/2018/12/2018-12-31-events.json",
        tmp_path / "new/log_data/2019/01/2019-01-01-events.json",
    ]
    assert sorted(set(files) - {tmp_path / "new" / key for key, _ in songs(options)}) == logs
    written = []
    for path in logs:
        lines = path.read_bytes().split(b"\n")
        assert {f"{datetime.fromtimestamp(json.loads(line)['ts'] / 1000, UTC):%Y-%m-%d}" for line in lines} == {
            path.name[:10]
        }
        written += lines  # an empty last one, after a newline at the end, would differ from the events
    assert written == [line for _, line in events(options)]
    assert summary.files == len(files) == 32
    assert summary.songs == 30
    assert summary.events == len(written)
    assert summary.plays == sum(json.loads(line)["page"] == "NextSong" for line in written)
    assert summary.bytes == sum(path.stat().st_size for path in files)


def test_writing_again_changes_nothing(tmp_path: Path) -> None:
    options = Options(users=20, songs=5)
    write(options, tmp_path)
    before = {path: sha256(path.read_bytes()).digest() for path in tmp_path.rglob("*") if path.is_file()}
    write(options, tmp_path)
    assert before == {path: sha256(path.read_bytes()).digest() for path in tmp_path.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    "wrong",
    [{"users": 0}, {"songs": 0}, {"days": 0}, {"seed": -1}, {"catalogue_share": 1.5}, {"growth": float("nan")},
     {"start": date(1969, 7, 20)}, {"start": date(9999, 12, 31)}, {"days": 70_000}],
)  # fmt: skip
def test_options_out_of_range_are_named(wrong: dict[str, Any]) -> None:
    (name,) = wrong
    with pytest.raises(ValueError, match=rf"^Invalid {name}: expected .* to .*, got "):
        Options(**wrong)


def test_the_command_says_what_it_wrote_and_what_comes_next(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--users", "20", "--songs", "5", "--days", "1", "--start", "2020-02-29", "--seed", "7"]
    assert main(["--out", str(tmp_path), *arguments]) == 0
    count = len(list(events(Options(seed=7, users=20, songs=5, days=1, start=date(2020, 2, 29)))))
    printed = capsys.readouterr().out
    assert f"Wrote {count} events" in printed
    assert "5 songs" in printed
    assert "FROM=2020-02-29 TO=2020-03-01" in printed
    assert (tmp_path / "log_data/2020/02/2020-02-29-events.json").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(["--users", "0"], "Invalid users"), (["--start", "yesterday"], "expected YYYY-MM-DD")],
)
def test_the_command_explains_a_wrong_argument(
    arguments: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["--out", str(tmp_path), *arguments])
    assert stopped.value.code == 2
    assert message in capsys.readouterr().err


def test_the_command_explains_a_folder_it_cannot_write(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(SystemExit) as stopped:
        main(["--out", str(tmp_path / "taken"), "--users", "1", "--songs", "1"])
    assert stopped.value.code == 1
    assert "Choose another --out" in capsys.readouterr().err
