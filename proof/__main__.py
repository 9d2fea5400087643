"""``make proof`` and ``make proof-sweep``."""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import urllib.request
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from proof import checks, cost, names, report, stack
from proof.journal import InterruptedProofError, Journal, describe, interruptible

REPORTS = stack.ROOT / "docs" / "proof"
# A proof that is older than this is not running any more.
STALE_HOURS = 3.0


def main(arguments: list[str] | None = None) -> int:
    """Run a proof, or delete what earlier proofs left; return the exit code."""
    options = _options(arguments)
    with tempfile.TemporaryDirectory(prefix="sparkify-proof-") as folder:
        # Airflow reads its configuration at its first import: neither the settings nor the folder of another one.
        for name in [name for name in os.environ if name.startswith("AIRFLOW")]:
            del os.environ[name]
        aws = {"conn_type": "aws", "extra": {"region_name": options.region}}
        os.environ.update({"AIRFLOW_HOME": folder, "AIRFLOW_CONN_AWS": json.dumps(aws)})
        if options.command == "sweep":
            return _sweep(timedelta(hours=options.hours))
        return prove(options, Path(folder) / "results.xml")


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make proof", description=__doc__)
    parser.add_argument("--region", default=os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION"))
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="prove the project on a new workgroup, and delete it")
    run.add_argument("--cidr", default="", help="network that may connect; your public address by default")
    run.add_argument("--price", type=float, default=cost.PRICE, help="USD per RPU-hour in your region")
    run.add_argument("--reports", type=Path, default=REPORTS, help="folder of the report")
    sweep = commands.add_parser("sweep", help="delete what earlier proofs left")
    sweep.add_argument("--hours", type=float, default=STALE_HOURS, help="age of a proof that is no longer running")
    options = parser.parse_args(arguments)
    if not options.region:
        parser.error("set the region: AWS_REGION, or --region")
    if options.command == "run" and cost.at_most(options.price) > cost.CEILING:
        parser.error(f"it may cost more than {cost.CEILING:g} USD: {cost.arithmetic(options.price)}")
    return options


def prove(options: argparse.Namespace, results: Path) -> int:
    """Run a proof: create, check, delete, report. Whatever happens, everything is deleted, and a report is written.

    :param results: the file for the results of the checks.
    """
    started, name = datetime.now(UTC), names.new()
    journal = Journal()
    private = [os.environ.get(key, "") for key in ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_ACCESS_KEY_ID")]
    print(f"{name} costs at most {cost.arithmetic(options.price)}.", flush=True)
    # All exceptions are in the journal.
    with suppress(Exception):
        try:
            with suppress(Exception, InterruptedProofError), interruptible():
                with journal.step("find the public address"):
                    cidr = options.cidr or _address()
                private.append(cidr)
                with journal.step("create the stack"):
                    outputs = stack.create(name, cidr)
                private += [outputs[key] for key in ("Endpoint", "CopyRoleArn", "AirflowPolicyArn", "QueueUrl")]
                with journal.step("limit the usage"):
                    stack.limit(name)
                with journal.step("create the database user"):
                    stack.grant(outputs)
                with journal.step("run the checks"):
                    checks.run(checks.connections(outputs, options.region), results, minutes=cost.MINUTES)
        finally:
            with journal.step("delete everything"):
                stack.delete(name)
    path = report.write(
        options.reports,
        journal,
        report.read(results),
        started=started,
        region=options.region,
        price=options.price,
        private=private,
    )
    print(f"Report: {path}", flush=True)
    return 0 if journal.succeeded else 1


def _address() -> str:
    """Return the public address of this machine, as a network."""
    with urllib.request.urlopen("https://checkip.amazonaws.com", timeout=20) as response:
        return f"{response.read().decode().strip()}/32"


def _sweep(older: timedelta) -> int:
    try:
        found = stack.sweep(older)
    except ExceptionGroup as error:
        print(describe(error), file=sys.stderr)
        return 1
    print(f"Deleted: {', '.join(found)}" if found else "Nothing to delete")
    return 0


if __name__ == "__main__":
    sys.exit(main())
