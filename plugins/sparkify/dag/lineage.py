"""OpenLineage's datasets of a task: what it reads and writes (https://openlineage.io/docs/spec/naming).

Airflow's provider requests them before and after each task, if it is configured; otherwise this module is not imported.
Datasets have their schema as it is in the database, with its descriptions and a tag for each column of personal data;
after the task also row counts, the results of checks, and column-level lineage.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from airflow.providers.openlineage.extractors import OperatorLineage
from openlineage.client.event_v2 import InputDataset, OutputDataset
from openlineage.client.facet_v2 import (
    column_lineage_dataset,
    data_quality_assertions_dataset,
    documentation_dataset,
    input_statistics_input_dataset,
    output_statistics_output_dataset,
    schema_dataset,
    tags_dataset,
)

from sparkify.schema import descriptions
from sparkify.sql import predicates
from sparkify.sql.sources import column_sources
from sparkify.warehouse.catalogue import relations

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping
    from contextlib import AbstractContextManager

    from openlineage.client.facet_v2 import DatasetFacet

    from sparkify.dag.flow import Flow
    from sparkify.quality.result import CheckResult
    from sparkify.schema.descriptions import Description
    from sparkify.warehouse import Warehouse

log = logging.getLogger(__name__)

# The tag of a column with personal data.
SENSITIVITY, PERSONAL = "sensitivity", "personal"


@dataclass(frozen=True)
class LineageTable:
    """A table of the warehouse as a dataset.

    :param namespace: the database server: ``redshift://cluster.region:port`` or ``postgres://host:port``.
    :param name: ``database.schema.table``.
    :param columns: the types of its columns by name, in order.
    :param description: of the table; None without one.
    :param descriptions: of its columns by name; a column without one is missing.
    """

    namespace: str
    name: str
    columns: Mapping[str, str]
    description: Description | None
    descriptions: Mapping[str, Description]

    @property
    def facets(self) -> dict[str, DatasetFacet]:
        """Its columns, its description and the columns with personal data, if it has any."""
        tags = [
            tags_dataset.TagsDatasetFacetFields(key=SENSITIVITY, value=PERSONAL, source="INTEGRATION", field=column)
            for column, description in self.descriptions.items()
            if description.is_personal
        ]
        facets: dict[str, DatasetFacet] = {"schema": self._schema}
        if self.description:
            facets["documentation"] = documentation_dataset.DocumentationDatasetFacet(self.description.comment)
        if tags:
            facets["tags"] = tags_dataset.TagsDatasetFacet(tags=tags)
        return facets

    @property
    def _schema(self) -> schema_dataset.SchemaDatasetFacet:
        fields = [
            schema_dataset.SchemaDatasetFacetFields(
                name=name,
                type=kind,
                description=self.descriptions[name].comment if name in self.descriptions else None,
                ordinal_position=position,
            )
            for position, (name, kind) in enumerate(self.columns.items(), 1)
        ]
        return schema_dataset.SchemaDatasetFacet(fields=fields)


def of(
    flow: Flow,
    check_results: Iterable[CheckResult],
    result: Mapping[str, Any] | None,
    connect: Callable[[], AbstractContextManager[Warehouse]],
) -> OperatorLineage[Any, Any]:
    """Return the datasets of a task.

    :param flow: what it reads and writes.
    :param check_results: of its checks.
    :param result: what it returned; None before it has run.
    :param connect: opens a session with the warehouse.
    """
    assertions = _assertions(check_results)
    names = dict.fromkeys([*flow.reads, *assertions, *([flow.writes] if flow.writes else [])])
    if not names:
        return OperatorLineage()
    with connect() as warehouse:
        tables = describe(warehouse, names)
    inputs = [_objects(flow, result)] if flow.bucket else []
    for name in dict.fromkeys([*flow.reads, *assertions]):
        table = tables[name]
        found = {"dataQualityAssertions": assertions[name]} if name in assertions else {}
        inputs.append(InputDataset(table.namespace, table.name, facets=table.facets, inputFacets={**found}))
    outputs = [_output(tables, flow, result)] if flow.writes else []
    return OperatorLineage(inputs=inputs, outputs=outputs)


def describe(warehouse: Warehouse, names: Collection[str]) -> dict[str, LineageTable]:
    """Return tables by their names in SQL; a table that does not exist has no columns.

    The descriptions are those of the database, which ``create_tables`` writes.
    """
    namespace, database = warehouse.address()
    ((own_schema,),) = warehouse.query("SELECT CURRENT_SCHEMA()")
    existing = relations(warehouse, {*names})
    found = {}
    for name in names:
        schema, _, last = name.rpartition(".")
        table = existing.get(name)
        columns = table.columns if table else {}
        described = {column: descriptions.parse(item.comment) for column, item in columns.items()}
        found[name] = LineageTable(
            namespace,
            f"{database}.{schema or own_schema}.{last}",
            {column: item.type for column, item in columns.items()},
            descriptions.parse(table.comment if table else None),
            {column: description for column, description in described.items() if description},
        )
    return found


def tables_of(select: str) -> list[str]:
    """Return the tables that a SELECT reads, except the loads' bookkeeping."""
    from sqlglot import exp, parse_one

    return sorted(
        {
            f"{table.db}.{table.name}".lstrip(".")
            for table in parse_one(select, read="redshift").find_all(exp.Table)
            if table.db != "operations" and table.name != predicates.CHANGED_BATCHES
        }
    )


def _objects(flow: Flow, result: Mapping[str, Any] | None) -> InputDataset:
    """Return the dataset of the S3 objects: one for the whole source, whatever the period of its files."""
    dataset = InputDataset(f"s3://{flow.bucket}", flow.key.partition("%")[0].rstrip("/") or "/")
    if result is not None:
        count = result["files"] if "files" in result else result["objects"]
        read = input_statistics_input_dataset.InputStatisticsInputDatasetFacet(fileCount=count)
        dataset.inputFacets = {"inputStatistics": read}
    return dataset


def _output(tables: Mapping[str, LineageTable], flow: Flow, result: Mapping[str, Any] | None) -> OutputDataset:
    assert flow.writes
    table = tables[flow.writes]
    facets = table.facets
    if flow.select and (lineage := _column_lineage(flow.select, tables, table)):
        facets["columnLineage"] = lineage
    dataset = OutputDataset(table.namespace, table.name, facets=facets)
    if result is not None:
        written = output_statistics_output_dataset.OutputStatisticsOutputDatasetFacet(rowCount=result["rows"])
        dataset.outputFacets = {"outputStatistics": written}
    return dataset


def _column_lineage(
    select: str, tables: Mapping[str, LineageTable], target: LineageTable
) -> column_lineage_dataset.ColumnLineageDatasetFacet | None:
    """Return the lineage of each column of a SELECT; None if it cannot be determined."""
    from sqlglot.errors import SqlglotError

    try:
        sources = column_sources(select, {name: table.columns for name, table in tables.items()}, target.columns)
    except SqlglotError as error:
        log.warning("Column lineage cannot be determined: %s", error)
        return None
    fields = {
        column: column_lineage_dataset.Fields(
            inputFields=[
                column_lineage_dataset.InputField(tables[name].namespace, tables[name].name, source)
                for name, source in found
            ]
        )
        for column, found in sources.items()
    }
    return column_lineage_dataset.ColumnLineageDatasetFacet(fields=fields)


def _assertions(
    check_results: Iterable[CheckResult],
) -> dict[str, data_quality_assertions_dataset.DataQualityAssertionsDatasetFacet]:
    """Return the results of checks, by table."""
    found = defaultdict(list)
    for result in check_results:
        found[result.table].append(
            data_quality_assertions_dataset.Assertion(
                assertion=result.kind,
                success=result.passed,
                column=result.column,
                severity=result.severity,
                name=result.check,
                description=result.why,
                expected=result.expected,
                actual=result.observed,
            )
        )
    return {
        table: data_quality_assertions_dataset.DataQualityAssertionsDatasetFacet(assertions=assertions)
        for table, assertions in found.items()
    }
