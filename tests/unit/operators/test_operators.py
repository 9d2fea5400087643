"""Policies for all operators."""

from __future__ import annotations

import inspect
import re
import socket
from typing import TYPE_CHECKING, Any

import jinja2
import pytest
from airflow.sdk import DAG, BaseHook, Variable
from airflow.sdk.definitions._internal.templater import SandboxedEnvironment
from airflow.sdk.exceptions import AirflowFailException

from sparkify import operators
from sparkify.dag.run import InvalidRunError
from sparkify.loading.aggregate import Aggregate
from sparkify.loading.history import History
from sparkify.loading.newest import Newest
from sparkify.loading.strategy import Lookup
from sparkify.operators import (
    CreateTablesOperator,
    DataQualityOperator,
    LoadAggregateOperator,
    LoadDimensionOperator,
    LoadFactOperator,
    LoadHistoryOperator,
    PublishDaysOperator,
    ReconcileOperator,
    ReportOperator,
    StageToRedshiftOperator,
)
from sparkify.operators.base import WarehouseOperator
from sparkify.s3 import S3Error
from sparkify.warehouse import CopyFailedError, WarehouseError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from airflow.sdk import Context

LOAD: dict[str, Any] = {"table": "songs", "keys": ["song_id"], "sql": "load/songs.sql"}
NEEDED: dict[type[WarehouseOperator], dict[str, Any]] = {
    CreateTablesOperator: {"ddl": ["include/sql/ddl"]},
    StageToRedshiftOperator: {"table": "staging_songs", "bucket": "music", "key": "song_data/"},
    LoadDimensionOperator: LOAD,
    LoadFactOperator: LOAD,
    LoadHistoryOperator: LOAD,
    LoadAggregateOperator: {**LOAD, "facts": "plays", "changes": "operations.changed_plays"},
    DataQualityOperator: {"checks": ["songs.yaml"]},
    PublishDaysOperator: {},
    ReconcileOperator: {
        "table": "staging_events",
        "bucket": "music",
        "key": "%Y-%m-%d.json",
        "file_period": "day",
        "trigger_dag_id": "sparkify_warehouse",
        "max_active_runs": 6,
    },
    ReportOperator: {"queries": ["report/hours.sql"], "template": "daily.html", "bucket": "music", "key": "%Y.html"},
}
every_operator = pytest.mark.parametrize("operator", NEEDED, ids=lambda operator: operator.__name__)


def parameters(operator: type) -> set[str]:
    """Return the parameters of a class's __init__ and those of its bases in this project."""
    return {
        parameter.name
        for base in inspect.getmro(operator)
        if issubclass(base, WarehouseOperator) and "__init__" in vars(base)
        # Airflow wraps __init__, which hides its signature.
        for parameter in inspect.signature(inspect.unwrap(base.__init__)).parameters.values()
        if parameter.kind is parameter.KEYWORD_ONLY
    }


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forbid connections, variables and sockets."""

    def refuse(*arguments: object, **named: object) -> None:
        raise AssertionError("I/O outside of execute()")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(BaseHook, "get_connection", refuse)
    monkeypatch.setattr(Variable, "get", refuse)


def test_every_operator_is_tested() -> None:
    assert {operator.__name__ for operator in NEEDED} == set(operators.__all__)


@every_operator
def test_init_does_no_io(operator: type[WarehouseOperator], offline: None) -> None:
    task = operator(task_id="task", redshift_conn_id="absent", aws_conn_id="absent", **NEEDED[operator])
    assert task.redshift_conn_id == "absent"


@every_operator
def test_default_connection_ids(operator: type[WarehouseOperator]) -> None:
    task = operator(task_id="task", **NEEDED[operator])
    assert (task.redshift_conn_id, task.aws_conn_id) == ("redshift", "aws")


@every_operator
def test_template_fields_are_attributes(operator: type[WarehouseOperator]) -> None:
    task = operator(task_id="task", **NEEDED[operator])
    assert [field for field in operator.template_fields if not hasattr(task, field)] == []
    assert len(set(operator.template_fields)) == len(operator.template_fields)
    assert set(WarehouseOperator.template_fields) <= set(operator.template_fields)
    assert set(operator.template_fields_renderers) <= set(operator.template_fields)


@every_operator
def test_template_fields_are_parameters(operator: type[WarehouseOperator]) -> None:
    """Airflow sets a template field from the parameter with the same name."""
    assert set(operator.template_fields) <= parameters(operator)


@every_operator
def test_parameters_are_stored_unchanged(operator: type[WarehouseOperator]) -> None:
    """Airflow renders the fields after __init__, which therefore must not use their values."""
    of_objects = {"full_refresh", "manifest_bucket"}
    for left_out, source in (({"late_before"}, {}), (of_objects, {"interval_column": "ts"})):
        templates = dict.fromkeys({*operator.template_fields} - left_out, "{{ params.x }}")
        more = source if operator is StageToRedshiftOperator else {}
        task = operator(task_id="task", **{**NEEDED[operator], **templates, **more})
        assert {field: getattr(task, field) for field in templates} == templates


@pytest.mark.parametrize(
    ("operator", "endings"),
    [
        (CreateTablesOperator, {".sql"}),
        (LoadDimensionOperator, {".sql"}),
        (LoadFactOperator, {".sql"}),
        (LoadHistoryOperator, {".sql"}),
        (LoadAggregateOperator, {".sql"}),
        (DataQualityOperator, set()),
        (StageToRedshiftOperator, set()),
        (PublishDaysOperator, set()),
        (ReportOperator, {".sql"}),
    ],
)
def test_files_are_templates(operator: type[WarehouseOperator], endings: set[str]) -> None:
    assert set(operator.template_ext) == endings


@every_operator
def test_parameters_are_keyword_only(operator: type[WarehouseOperator]) -> None:
    """All parameters are keyword-only."""
    for base in inspect.getmro(operator):
        if issubclass(base, WarehouseOperator) and "__init__" in vars(base):
            kinds = {
                p.kind for p in inspect.signature(inspect.unwrap(base.__init__)).parameters.values() if p.name != "self"
            }
            assert inspect.Parameter.POSITIONAL_OR_KEYWORD not in kinds


@every_operator
def test_every_parameter_is_documented(operator: type[WarehouseOperator]) -> None:
    documented = {
        name: text
        for base in inspect.getmro(operator)
        if issubclass(base, WarehouseOperator)
        for name, text in re.findall(r":param (\w+): (.+?)(?=\n\s*:|\Z)", base.__doc__ or "", re.DOTALL)
    }
    assert set(documented) == parameters(operator)
    templated = {name for name, text in documented.items() if "(templated)" in text}
    assert templated == set(operator.template_fields)


def test_operators_have_different_colours() -> None:
    colours = [operator.ui_color for operator in NEEDED]
    assert len(set(colours)) == len(colours)
    assert all(re.fullmatch(r"#[0-9a-f]{6}", colour) for colour in colours)


@every_operator
def test_text_has_sufficient_contrast(operator: type[WarehouseOperator]) -> None:
    """WCAG 2 requires a contrast of 4.5: https://www.w3.org/TR/WCAG21/#contrast-minimum."""

    def luminance(colour: str) -> float:
        parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        red, green, blue = (part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    assert (luminance(operator.ui_color) + 0.05) / (luminance(operator.ui_fgcolor) + 0.05) >= 4.5


@every_operator
def test_default_args_apply(operator: type[WarehouseOperator]) -> None:
    with DAG("policy", schedule=None, default_args={"redshift_conn_id": "other", "interval_start": "2018-11-01"}):
        task = operator(task_id="task", **NEEDED[operator])
    assert task.redshift_conn_id == "other"
    assert task.interval_start == "2018-11-01"


@every_operator
@pytest.mark.parametrize(
    ("error", "is_retried"),
    [
        (InvalidRunError("the range"), False),
        (KeyError("Variable sparkify_bucket does not exist"), True),
    ],
)
def test_an_error_of_rendering_is_raised_by_execute(
    operator: type[WarehouseOperator], error: Exception, is_retried: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """Airflow logs what is rendered in a group that the web UI collapses."""

    def fail() -> None:
        raise error

    task: Any = operator(task_id="task", interval_start="{{ fail() }}", **NEEDED[operator])
    context: Any = {"fail": fail}
    task.render_template_fields(context)
    caplog.clear()
    with pytest.raises(type(error)) as caught:
        task.execute(context)
    assert caught.value is error
    assert isinstance(error, AirflowFailException) != is_retried
    assert [record.getMessage() for record in caplog.records] == ([] if is_retried else ["the range"])


@every_operator
def test_fields_that_are_no_interval_are_an_invalid_run(operator: type[WarehouseOperator]) -> None:
    task = operator(task_id="task", interval_start="2018-11-02", interval_end="2018-11-01", **NEEDED[operator])
    with pytest.raises(InvalidRunError, match="Trigger the DAG again with valid params"):
        _ = task.interval


class StatementError(Exception):
    """An error of a database driver.

    :param sqlstate: its code, as psycopg has it.
    """

    def __init__(self, sqlstate: str | None) -> None:
        super().__init__(f"failed with {sqlstate}\nLINE 1: SELECT")
        self.sqlstate = sqlstate
        self.add_note("Statement: Take the newest")


def redshift_error(code: str) -> Exception:
    """Return an error as redshift_connector raises it."""
    return Exception({"S": "ERROR", "C": code, "M": f"failed with {code}"})


class Failing(WarehouseOperator):
    """Fails with an error."""

    error: Exception

    def work(self, context: Context) -> dict[str, Any]:
        raise self.error


@pytest.mark.parametrize("make", [StatementError, redshift_error])
@pytest.mark.parametrize(
    ("code", "is_retried"),
    [
        ("42601", False),  # syntax error
        ("42703", False),  # undefined column
        ("42P01", False),  # undefined table
        ("42883", False),  # no such function for these types
        ("22012", False),  # division by zero
        ("42P07", True),  # another session has created the table
        ("08006", True),  # connection failure
        ("40001", True),  # serialization conflict
        ("53100", True),  # disk full
        ("55P03", True),  # lock timeout
        ("57P01", True),  # shutdown
        ("28P01", True),  # login
        ("XX000", True),  # internal error
    ],
)
def test_what_a_retry_cannot_repair_is_not_retried(
    make: Callable[[str], Exception], code: str, is_retried: bool
) -> None:
    task = Failing(task_id="task")
    task.error = make(code)
    with pytest.raises(Exception, match=f"failed with {code}") as caught:
        task.execute({})
    if is_retried:
        assert caught.value is task.error
    else:
        assert isinstance(caught.value, AirflowFailException)
        assert f"failed with {code} (SQLSTATE {code})." in str(caught.value)
        assert "LINE 1" not in str(caught.value)
        assert ("Statement: Take the newest." in str(caught.value)) == (make is StatementError)


@pytest.mark.parametrize(
    ("error", "is_retried"),
    [
        (WarehouseError("unreachable"), True),
        (S3Error("503"), True),
        (CopyFailedError("S3 is slow", terminal=False), True),
        (CopyFailedError("rejected rows"), False),
        (S3Error("no such bucket", terminal=True), False),
    ],
)
def test_errors_of_this_project_declare_whether_they_are_retried(error: Exception, is_retried: bool) -> None:
    task = Failing(task_id="task")
    task.error = error
    with pytest.raises(Exception, match=str(error)) as caught:
        task.execute({})
    assert isinstance(caught.value, AirflowFailException) != is_retried
    if not is_retried:
        assert caught.value.__suppress_context__  # the log has the message once


def test_the_partition_column_of_a_stage_task() -> None:
    needed = NEEDED[StageToRedshiftOperator]
    assert StageToRedshiftOperator(task_id="a", **needed).partition_column == "batch_id"
    cut = StageToRedshiftOperator(task_id="b", interval_column="ts", **needed)
    assert cut.partition_column == "interval_time"


@pytest.mark.parametrize(
    ("source", "parameter"),
    [
        ({}, {"late_before": "2018-11-01"}),
        ({}, {"file_period": "hour"}),
        ({}, {"partition_column": "interval_time"}),
        ({"interval_column": "ts"}, {"full_refresh": True}),
        ({"interval_column": "ts"}, {"manifest_bucket": "other"}),
    ],
)
def test_a_stage_task_rejects_contradictory_parameters(source: dict[str, Any], parameter: dict[str, Any]) -> None:
    (name,) = parameter
    with pytest.raises(ValueError, match=f"^{name} .*interval_column"):
        StageToRedshiftOperator(task_id="a", **NEEDED[StageToRedshiftOperator], **source, **parameter)


@pytest.mark.parametrize("parameter", [{"lookup": "songs"}, {"lookup_column": "song_batch_id"}])
def test_a_lookup_needs_its_column(parameter: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="lookup and lookup_column go together"):
        LoadFactOperator(task_id="a", **LOAD, **parameter)


def test_the_strategy_of_a_load() -> None:
    source = LoadDimensionOperator(task_id="a", **LOAD, source="staging_songs")
    fact = LoadFactOperator(task_id="b", **LOAD, lookup="songs", lookup_column="batch", changes="operations.changed")
    aggregate = LoadAggregateOperator(task_id="c", **NEEDED[LoadAggregateOperator])
    assert source.strategy == Newest("staging_songs")
    assert fact.strategy == Newest(None, Lookup("songs", "batch"), "operations.changed")
    assert aggregate.strategy == Aggregate("plays", "operations.changed_plays")
    assert isinstance(LoadHistoryOperator(task_id="d", **LOAD).strategy, History)


def test_an_aggregate_needs_its_facts_and_their_changes() -> None:
    with pytest.raises(TypeError, match="facts"):
        LoadAggregateOperator(task_id="a", **LOAD)


def test_the_definition_of_a_load_is_its_select(tmp_path: Path) -> None:
    """In `airflow dags test`, templates are rendered without being read before: the file's name is no definition."""
    (tmp_path / "songs.sql").write_text("SELECT 1 AS song_id WHERE {{ scope('at', song_id='id') }}")
    with DAG("d", template_searchpath=[str(tmp_path)]):
        task = LoadDimensionOperator(
            task_id="t",
            table="songs",
            keys=["song_id"],
            sql="songs.sql",
            interval_start="2018-11-01T00:00",
            interval_end="2018-11-01T01:00",
        )
    task.render_template_fields({})
    assert task._template == "SELECT 1 AS song_id WHERE {{ scope('at', song_id='id') }}"
    assert task.sql.startswith("SELECT 1 AS song_id WHERE at >= TIMESTAMP '2018-11-01")


def test_a_text_is_compiled_once_and_only_if_it_has_expressions(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled: list[str] = []
    compile_template = jinja2.Environment.compile

    def count(environment: jinja2.Environment, source: str, *arguments: Any, **named: Any) -> Any:
        compiled.append(source)
        return compile_template(environment, source, *arguments, **named)

    monkeypatch.setattr(SandboxedEnvironment, "compile", count)  # labs replace it, too
    with DAG("d"):
        task: Any = operators.LoadDimensionOperator(
            task_id="t",
            **LOAD | {"sql": "SELECT {{ x }}"},
            interval_start="{{ x }}",
            interval_end="{{ x }}",
            ddl=["a\n"],
        )
    context: Any = {"x": 1}
    task.render_template_fields(context)
    assert (task.sql, task.interval_start, task.interval_end, task.ddl) == ("SELECT 1", "1", "1", ["a"])
    assert task.render_template("SELECT {{ x }}", {"x": 2}) == "SELECT 2"
    assert task.render_template("a\r\nb", context) == "a\nb"
    assert sorted(compiled) == ["SELECT {{ x }}", "a\r\nb", "{{ x }}"]


def test_native_values_are_rendered_as_airflow_does() -> None:
    with DAG("d", render_template_as_native_obj=True):
        task: Any = operators.LoadDimensionOperator(task_id="t", **LOAD)
    task.render_template_fields({})
    assert task.render_template("3", {}) == 3
