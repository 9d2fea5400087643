"""Alerts: one message for a run, told when something fails, and when it is good again. See docs/alerts.md."""

from __future__ import annotations

from sparkify.alerts.lateness import deadline
from sparkify.alerts.notifier import AlertNotifier

__all__ = ["AlertNotifier", "deadline"]
