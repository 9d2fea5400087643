"""The Markdown report of a proof, without account ids, ARNs, addresses and passwords."""

from __future__ import annotations

import re
import subprocess
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from proof import cost
from proof.stack import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from pathlib import Path

    from proof.journal import Journal

# What must not be published. The last one is also the account's id within a host or an ARN.
_PRIVATE = re.compile(
    r"""
    arn:aws[\w-]*:[^\s'",)|`]*
    | [\w.-]+\.amazonaws\.com(?:\.cn)?
    | \b(?:\d{1,3}\.){3}\d{1,3}(?:/\d{1,2})?\b
    | \b(?:AKIA|ASIA)[A-Z0-9]{12,}\b
    | \bIAMR?:[^\s'",)|`]+
    | \bsubnet-\w+ | \bvpc-\w+ | \bsg-\w+ | \bvpce-\w+
    | \b\d{12}\b
    """,
    re.VERBOSE,
)
_LONGEST = 600


@dataclass
class Check:
    """The result of a test.

    :param file: its module, without ``test_``.
    :param outcome: ``passed``, ``failed`` or ``skipped``.
    :param message: why it failed or was skipped.
    :param properties: what the test recorded.
    """

    file: str
    name: str
    outcome: str
    message: str = ""
    properties: dict[str, str] = field(default_factory=dict)


def read(results: Path) -> list[Check]:
    """Return the results of the tests, from a file in JUnit's format; none if the tests were not reached."""
    if not results.exists():
        return []
    checks = []
    for case in ElementTree.parse(results).iter("testcase"):  # noqa: S314 - written by our own pytest
        found = next((case.find(tag) for tag in ("failure", "error", "skipped") if case.find(tag) is not None), None)
        outcome = "passed" if found is None else "skipped" if found.tag == "skipped" else "failed"
        message = "" if found is None else found.get("message", "")
        properties = {item.get("name", ""): item.get("value", "") for item in case.iter("property")}
        file = case.get("classname", "").rpartition(".test_")[2]
        checks.append(Check(file, case.get("name", ""), outcome, message, properties))
    return checks


def redact(text: str, private: Iterable[str] = ()) -> str:
    """Replace what must not be published by an ellipsis.

    :param private: further words: the outputs of the stack, credentials.

    >>> redact("arn:aws:iam::123456789012:role/copy at w.123456789012.us-west-2.redshift-serverless.amazonaws.com")
    '… at …'
    """
    for word in sorted(filter(None, private), key=len, reverse=True):
        text = text.replace(word, "…")
    return _PRIVATE.sub("…", text)


def write(
    folder: Path,
    journal: Journal,
    checks: list[Check],
    *,
    started: datetime,
    region: str,
    price: float,
    private: Iterable[str] = (),
) -> Path:
    """Write the report; return its path.

    :param folder: of the reports.
    :param started: names the report, with the commit.
    :param price: USD per RPU-hour.
    :param private: words that must not be in the report, beside those that :func:`redact` recognizes.
    """
    commit = _commit()
    parts = [
        f"# Proof of {started:%Y-%m-%d %H:%M} UTC: {'passed' if journal.succeeded else 'failed'}",
        f"Commit `{commit}`, Redshift Serverless in {region}. "
        + "".join(f"{name}: {value}. " for name, value in _facts(checks).items()).rstrip(),
        _steps(journal),
        _summary(checks),
        _failures(checks),
        _histories(checks),
        _questions(checks),
        f"## Cost\n\nAt most {cost.at_most(price):.2f} USD, by its caps: {cost.arithmetic(price)}.",
    ]
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{started:%Y-%m-%d-%H%M}-{commit.partition(' ')[0]}.md"
    path.write_text(redact("\n\n".join(filter(None, parts)), private) + "\n", encoding="utf-8")
    return path


def _commit() -> str:
    def git(*arguments: str) -> str:
        return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip()

    return (git("rev-parse", "--short=12", "HEAD") or "unknown") + (
        " with changes" if git("status", "--porcelain", "--untracked-files=no") else ""
    )


def _cell(text: str) -> str:
    """Return a text for one cell of a table."""
    short = text if len(text) <= _LONGEST else text[:_LONGEST] + " …"
    return re.sub(r"\s*\n\s*", " ", short.strip()).replace("|", "\\|")


def _table(header: list[str], rows: Iterable[list[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(map(_cell, line))} |" for line in lines)


def _facts(checks: list[Check]) -> dict[str, str]:
    return {
        name.removeprefix("fact: "): value
        for check in checks
        for name, value in check.properties.items()
        if name.startswith("fact: ")
    }


def _steps(journal: Journal) -> str:
    rows = [[step.name, f"{step.seconds:.0f} s", step.error or "done"] for step in journal.steps]
    return "## Steps\n\n" + _table(["step", "time", "result"], rows)


def _summary(checks: list[Check]) -> str:
    counts = Counter(
        (check.file, check.name.partition("[")[0].removeprefix("test_"), check.outcome) for check in checks
    )
    rows = [
        [test.replace("_", " "), *(str(counts[file, test, outcome]) for outcome in ("passed", "failed", "skipped"))]
        for file, test in dict.fromkeys((file, test) for file, test, _ in counts)
    ]
    return "## Checks\n\n" + _table(["check", "passed", "failed", "skipped"], rows) if rows else ""


def _failures(checks: list[Check]) -> str:
    rows = [[check.name.removeprefix("test_"), check.message] for check in checks if check.outcome == "failed"]
    return "## Failed checks\n\n" + _table(["check", "error"], rows) if rows else ""


def _histories(checks: list[Check]) -> str:
    rows = [
        [
            check.properties["isolation"],
            check.properties["runs"],
            check.properties.get("conflicts", "?"),
            check.outcome,
        ]
        for check in checks
        if "isolation" in check.properties
    ]
    header = ["isolation level", "runs", "serialization conflicts, retried", "tables of a single run"]
    return "## Concurrent runs\n\n" + _table(header, rows) if rows else ""


def _questions(checks: list[Check]) -> str:
    """Return the table of what the project assumes and what Redshift answered."""
    rows = [
        [
            check.properties["topic"],
            check.properties["question"],
            check.properties["assumed"],
            check.properties.get("answered", check.message),
            {"passed": "yes", "failed": "**no**"}.get(check.outcome, "not asked"),
        ]
        for check in checks
        if "question" in check.properties
    ]
    header = ["topic", "statement", "the project assumes", "Redshift answered", "as assumed"]
    return "## What only Redshift can decide\n\n" + _table(header, rows) if rows else ""
