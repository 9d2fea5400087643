"""The schedules of the infrastructure DAGs."""

from __future__ import annotations

import importlib

import pytest


@pytest.mark.parametrize("action", ["pause", "resume"])
@pytest.mark.parametrize("cron", ["", "0 20 * * 1-5"])
def test_the_schedule_is_an_environment_variable(monkeypatch: pytest.MonkeyPatch, action: str, cron: str) -> None:
    monkeypatch.setenv(f"SPARKIFY_{action.upper()}_SCHEDULE", cron)
    module = importlib.import_module(f"sparkify_infrastructure_{action}")
    try:
        assert importlib.reload(module).dag.schedule == (cron or None)
    finally:
        monkeypatch.undo()
        importlib.reload(module)


@pytest.mark.parametrize("action", ["create", "delete"])
def test_creation_and_deletion_have_no_schedule(action: str) -> None:
    assert importlib.import_module(f"sparkify_infrastructure_{action}").dag.schedule is None
