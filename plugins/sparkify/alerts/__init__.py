"""Alerts: one message per run, when something fails and when it has recovered. See docs/alerts.md."""

from __future__ import annotations

from sparkify.alerts.lateness import deadline
from sparkify.alerts.notifier import AlertNotifier

__all__ = ["AlertNotifier", "deadline"]
