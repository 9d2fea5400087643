"""The names of a history's columns."""

from __future__ import annotations

from sparkify.loading.history import History, _names
from sparkify.sql import scripts


def test_all_columns_but_keys_and_audit_columns_are_tracked() -> None:
    names = _names("modes", ["device", "valid_from"], ["device", "valid_from", "mode", "interval_time", "row_version"])
    assert names["entity"] == ["device"]
    assert names["tracked"] == ["mode"]


def test_an_empty_table_is_filled_with_one_statement() -> None:
    columns = ["device", "valid_from", "mode", "interval_time", "row_version"]
    sql = History().insert("modes", ["device", "valid_from"], columns, "SELECT r.* FROM readings AS r")
    assert [scripts.command(statement).names for statement in scripts.statements(sql)] == [("modes",)]
