"""The data dictionary of the warehouse page, with the time of each table's last change."""

from __future__ import annotations

from dataclasses import asdict
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from sparkify.schema import dictionary
from sparkify.warehouse.ddl import DdlError
from sparkify.web import panels
from sparkify.web.panels import PanelError

if TYPE_CHECKING:
    from pathlib import Path


def read(name: str = "") -> dict[str, Any]:
    """Return ``tables``: the declared tables as JSON carries :class:`sparkify.schema.dictionary.DictionaryTable`.

    Each has ``changed_at``, the end of the latest task that wrote to it, ISO 8601; None if no task did. It needs the
    project's files and one query of Airflow's metadata database, which only the API server may read, but not the
    warehouse.

    :param name: ignored; required by :class:`~sparkify.web.cache.Cache`.
    :raises PanelError: if the DDL is invalid.
    """
    changed = _changed()
    try:
        tables = _tables(panels.SQL, panels.version(panels.SQL / "ddl", panels.SQL / "load"))
    except DdlError as error:
        raise PanelError("refused", f"The DDL is invalid: {error}") from error
    return {"tables": [{**table, "changed_at": changed.get(table["name"])} for table in tables]}


@lru_cache(maxsize=1)
def _tables(sql: Path, version: frozenset[tuple[str, int]]) -> list[dict[str, Any]]:
    """Return the declared tables as JSON; determining their lineage takes a second.

    :param version: of the files.
    """
    return [asdict(table) for table in dictionary.read(sql)]


def _changed() -> dict[str, str]:
    """Return the time of each table's latest asset event. A load without new data has none."""
    from airflow.models.asset import AssetEvent, AssetModel
    from airflow.utils.session import create_session
    from sqlalchemy import func, select

    from sparkify.dag.assets import table

    some = table("")
    latest = select(func.max(AssetEvent.timestamp)).where(AssetEvent.asset_id == AssetModel.id).scalar_subquery()
    query = select(AssetModel.name, latest).where(AssetModel.group == some.group)
    with create_session() as session:
        return {
            name.removeprefix(some.name): at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
            for name, at in session.execute(query)
            if at
        }
