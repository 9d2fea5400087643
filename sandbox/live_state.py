"""The state of ``make up``'s supervisor, shared with the other commands through a file."""

from __future__ import annotations

import json
import time
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

from sandbox import jobs
from sandbox.feeder import FeederProgress, replace_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

# The bucket and the warehouse; separate from the data of `make run`.
NAME = "sparkify-live"
FEEDER = "feeder"

Phase = Literal["starting", "ready", "failed", "stopped"]


@dataclass
class StartupStep:
    """A step of the start.

    :param state: ``running``, ``success`` or ``failed``.
    :param result: its progress, or its result.
    :param seconds: its duration, once it has ended.
    """

    title: str
    state: str = "running"
    result: str = ""
    seconds: float = 0.0


@dataclass
class Component:
    """A process of ``make up``.

    :param created: psutil's creation time; with the process id it identifies the process.
    :param since: the same, as ISO 8601, UTC.
    :param ended: when its exit was detected, ISO 8601, UTC; None while it runs.
    :param how: how it exited.
    """

    pid: int
    created: float
    since: str
    ended: str | None = None
    how: str = ""


@dataclass
class SupervisorState:
    """The state of the supervisor and of its components.

    :param pid: the supervisor.
    :param begun: when it started, ISO 8601, UTC.
    :param url: Airflow's address.
    :param home: Airflow's folder.
    :param database: URI of the warehouse.
    :param metadata: URI of Airflow's metadata database.
    :param endpoint: URL of the S3 server.
    :param phase: the phase of its life.
    :param steps: of the start.
    :param components: the processes, by name, in the order of their start.
    :param error: why it failed.
    """

    pid: int
    begun: str
    url: str = ""
    home: str = ""
    database: str = ""
    metadata: str = ""
    endpoint: str = ""
    phase: Phase = "starting"
    steps: list[StartupStep] = field(default_factory=list)
    components: dict[str, Component] = field(default_factory=dict)
    error: str = ""

    @property
    def ended(self) -> list[str]:
        """The components that have exited unexpectedly."""
        return [name for name, component in self.components.items() if component.ended]

    @classmethod
    def parse(cls, text: str) -> SupervisorState:
        """Read what :meth:`text` wrote."""
        known: dict[str, Any] = json.loads(text)
        known["steps"] = [StartupStep(**step) for step in known["steps"]]
        known["components"] = {name: Component(**values) for name, values in known["components"].items()}
        return cls(**known)

    def text(self) -> str:
        """Return the state as JSON, without passwords."""
        return json.dumps(asdict(self), indent=1)


@dataclass(frozen=True)
class SupervisorFiles:
    """The files that the supervisor shares with the other commands.

    :param state: the folder of the servers' data.
    """

    state: Path

    @property
    def folder(self) -> Path:
        """The supervisor's own folder."""
        return self.state / "live"

    @property
    def log(self) -> Path:
        """The supervisor's log."""
        return self.folder / "supervisor.log"

    @property
    def feeder_log(self) -> Path:
        """The feeder's log."""
        return self.folder / f"{FEEDER}.log"

    @property
    def feeder_progress(self) -> Path:
        """The file with the feeder's progress."""
        return self.folder / f"{FEEDER}.json"

    @property
    def fault(self) -> Path:
        """The file that requests invalid events from the feeder: :mod:`sandbox.faults`."""
        return self.folder / "fault"

    @property
    def bucket(self) -> Path:
        """The folder of the bucket's objects."""
        return self.state / "s3" / NAME

    def save(self, state: SupervisorState) -> None:
        """Write the state for the other commands."""
        replace_file(self.folder / "state.json", state.text())

    def load(self) -> SupervisorState | None:
        """Return the last supervisor's state, which may have exited since; None if there was none.

        A state that another version of this program has written is ignored.
        """
        try:
            return SupervisorState.parse((self.folder / "state.json").read_text())
        except (FileNotFoundError, ValueError, TypeError, KeyError, AttributeError):
            return None

    def running(self) -> SupervisorState | None:
        """Return the state of the running supervisor, or None.

        :raises BusyError: if another command is using the servers' data.
        """
        owner = jobs.lock_owner(self.state)
        if owner is None:
            return None
        if owner.command != jobs.UP:
            raise jobs.BusyError(
                f"{owner.command} (process {owner.pid}) is using {self.state}: wait until it ends, or stop it."
            )
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            if (state := self.load()) and state.pid == owner.pid:
                return state
            time.sleep(0.05)  # it has just started
        return SupervisorState(owner.pid, datetime.now(UTC).isoformat())

    def progress(self) -> FeederProgress | None:
        """Return the feeder's progress; None if it is unknown."""
        try:
            return FeederProgress(**json.loads(self.feeder_progress.read_text()))
        except (FileNotFoundError, ValueError, TypeError):
            return None


class StateRecorder:
    """Records the supervisor's state, for the other commands, and its log."""

    def __init__(self, files: SupervisorFiles, state: SupervisorState) -> None:
        self.state = state
        self._files = files
        files.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.save()

    def save(self) -> None:
        """Write the current state."""
        self._files.save(self.state)

    @contextmanager
    def step(self, title: str) -> Iterator[Callable[[str], None]]:
        """Record a step while it runs; yield a function that records its progress, or its result."""
        self.log(title)
        step = StartupStep(title)
        began = time.monotonic()
        self.state.steps.append(step)
        self.save()

        def update(result: str) -> None:
            if result != step.result:
                step.result = result
                self.save()

        try:
            yield update
            step.state = "success"
        except BaseException:
            step.state = "failed"
            raise
        finally:
            step.seconds = time.monotonic() - began
            self.save()

    def log(self, text: str) -> None:
        """Write a line to the log."""
        print(f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} {text}", flush=True)
