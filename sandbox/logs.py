"""``make logs``: follow the logs of all components."""

from __future__ import annotations

import time
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING

from rich.text import Text

from sandbox.deployment import COMPONENTS
from sandbox.live_state import FEEDER

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from sandbox.live_state import SupervisorFiles

NAMES = ("supervisor", FEEDER, "postgres", *COMPONENTS)
# Seconds between polls.
EVERY = 0.5
# Maximum bytes read from the end of a file at once.
MUCH = 1024 * 1024


def log_paths(files: SupervisorFiles) -> dict[str, Path]:
    """Return the log of each component."""
    found = {"supervisor": files.log, FEEDER: files.feeder_log, "postgres": files.state / "postgres" / "log"}
    if state := files.load():
        found |= {name: Path(state.home) / "logs" / f"{name}.log" for name in COMPONENTS}
    return found


class Tail:
    """Reads the new lines of a file that grows, or is truncated."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._at = 0
        self._rest = b""

    def last(self, lines: int) -> list[str]:
        """Return the last lines of the file."""
        size = self._size()
        self._at = max(0, size - MUCH)
        return self.more()[-lines:] if lines else self.more()[:0]

    def more(self) -> list[str]:
        """Return the lines since the last call, without an incomplete last one."""
        size = self._size()
        if size < self._at:  # truncated
            self._at, self._rest = 0, b""
        if size == self._at:
            return []
        with self._path.open("rb") as file:
            file.seek(self._at)
            data = file.read(MUCH)
        self._at += len(data)
        *lines, self._rest = (self._rest + data).split(b"\n")
        return [line.decode(errors="replace").rstrip("\r") for line in lines]

    def _size(self) -> int:
        try:
            return self._path.stat().st_size
        except FileNotFoundError:
            return 0


def show(files: SupervisorFiles, components: Sequence[str], console: Console, *, follow: bool, lines: int) -> int:
    """Print the logs of components, and follow them until interrupted.

    :param components: their names; none for all.
    :param follow: whether to continue until interrupted.
    :param lines: number of existing lines to print for each component.
    :return: the exit code.
    """
    if unknown := [name for name in components if name not in NAMES]:
        console.print(f"[red]✗[/] Unknown component {', '.join(unknown)}: expected {', '.join(NAMES)}", soft_wrap=True)
        return 2
    known = log_paths(files)
    tails = {name: Tail(path) for name, path in known.items() if not components or name in components}
    colours = dict(zip(NAMES, cycle(("cyan", "green", "magenta", "blue", "yellow")), strict=False))
    width = max(map(len, tails), default=0)

    def print_lines(name: str, new: list[str]) -> None:
        for line in new:
            if len(tails) > 1:
                console.print(Text(f"{name:<{width}} ", style=colours[name]), end="")
            console.print(Text.from_ansi(line), soft_wrap=True)

    for name, tail in tails.items():
        print_lines(name, tail.last(lines))
    while follow:
        time.sleep(EVERY)
        for name, tail in tails.items():
            print_lines(name, tail.more())
    return 0
