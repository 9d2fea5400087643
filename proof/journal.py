"""The steps of a proof: what was done, how long it took, what failed; and signals that do not prevent the deletion."""

from __future__ import annotations

import signal
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class InterruptedProofError(KeyboardInterrupt):
    """A signal has stopped the proof."""


@dataclass
class Step:
    """A step of a proof.

    :param seconds: its duration.
    :param error: why it failed; empty if it did not.
    """

    name: str
    seconds: float = 0.0
    error: str = ""


@dataclass
class Journal:
    """The steps, in order."""

    steps: list[Step] = field(default_factory=list)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Record a step; an exception of any kind is recorded and raised again."""
        print(f"{name} ...", flush=True)
        step = Step(name)
        self.steps.append(step)
        started = time.monotonic()
        try:
            yield
        except BaseException as error:
            step.error = describe(error)
            print(f"{name} failed: {step.error}", flush=True)
            raise
        finally:
            step.seconds = time.monotonic() - started

    @property
    def succeeded(self) -> bool:
        """Whether no step failed."""
        return not any(step.error for step in self.steps)


def describe(error: BaseException) -> str:
    """Return the kind and the message of an error, and those of a group's members."""
    texts = [f"{type(error).__name__}: {error}"]
    if isinstance(error, BaseExceptionGroup):
        texts += [describe(member) for member in error.exceptions]
    return "\n".join(texts)


@contextmanager
def interruptible() -> Iterator[None]:
    """Raise InterruptedProofError at the first signal inside the context; ignore all later ones, also after it.

    So a second Ctrl-C does not interrupt the deletion.
    """
    armed = True

    def handle(number: int, _frame: Any) -> None:
        nonlocal armed
        if armed:
            armed = False
            raise InterruptedProofError(f"{signal.Signals(number).name} received")
        print("Deleting everything, please wait. To delete it later: make proof-sweep", flush=True)

    for number in SIGNALS:
        signal.signal(number, handle)
    try:
        yield
    finally:
        armed = False
