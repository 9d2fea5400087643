"""The notebook executes without errors and shows the warehouse's data."""

from __future__ import annotations

import re
from html import unescape
from typing import TYPE_CHECKING, Any

import nbformat
import psycopg
import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from sandbox import jobs, notebook, servers
from sandbox.notebook import NOTEBOOK
from tests.conftest import ROOT
from tests.integration.web.test_panels import put_implausible
from tests.support.data import event, song

if TYPE_CHECKING:
    from pathlib import Path

    from sandbox.lab import Lab
    from tests.conftest import CopyOf


def read() -> Any:
    return nbformat.read(NOTEBOOK, as_version=4)


def run(lab: Lab) -> list[dict[str, Any]]:
    """Execute the notebook on a lab; return its outputs."""
    book = read()
    NotebookClient(
        book, timeout=120, kernel_name="python3", resources={"metadata": {"path": NOTEBOOK.parent}}
    ).execute()
    return [output for cell in book.cells if cell.cell_type == "code" for output in cell.outputs]


def shown(outputs: list[dict[str, Any]], kind: str) -> list[str]:
    """Return the outputs of a MIME type."""
    return [str(output["data"][kind]) for output in outputs if kind in output.get("data", {})]


def rows(table: str) -> list[list[str]]:
    """Return the rows of an HTML table, starting with its column names."""
    return [re.findall(r"<td>(.*?)</td>", line) for line in re.findall(r"<tr>(.*?)</tr>", table)]


def load_days(lab: Lab) -> None:
    """Load plays on three days."""
    lab.put_song("one", song("SO1"))
    for day in ("2018-11-01", "2018-11-03"):
        lab.put_events(
            day, [event(f"{day}T{n:02}:00:00", int(day[-2:]), n, artist=f"<Artist {n % 3}>") for n in range(20)]
        )
    lab.put_events("2018-11-04", [event("2018-11-04T09:00:00", 7, 0), event("2018-11-04T15:00:00", 7, 1)])
    lab.run("2018-11-01", "2018-11-05")


@pytest.fixture
def loaded(copy_of: CopyOf) -> Lab:
    """Return a lab with plays on three days."""
    return copy_of(load_days)


def test_the_notebook_is_committed_without_outputs() -> None:
    book = read()
    nbformat.validate(book)
    code = [cell for cell in book.cells if cell.cell_type == "code"]
    assert code
    assert [cell.source for cell in code if cell.outputs or cell.execution_count] == []
    assert [cell.source for cell in book.cells if cell.metadata] == []


def test_the_notebook_contains_no_sql() -> None:
    code = "\n".join(cell.source for cell in read().cells if cell.cell_type == "code")
    assert re.findall(r"(?i)\bselect\b|\bfrom \w+play", code) == []
    queries = re.findall(r'ask\("([\w/]+)"', code)
    assert len(queries) >= 6
    assert [name for name in queries if not (ROOT / "include" / "sql" / f"{name}.sql").is_file()] == []
    assert {f"analytics/{path.stem}" for path in (ROOT / "include/sql/analytics").glob("*.sql")} & set(queries)


def test_the_notebook_shows_the_loaded_plays(loaded: Lab) -> None:
    outputs = run(loaded)
    assert [output for output in outputs if output["output_type"] in ("error", "stream")] == []
    assert shown(outputs, "text/markdown") == ["**42 plays** on 3 days"]
    assert len(shown(outputs, "image/png")) == 6
    figures, retention, changes, busiest, most_played, places = [
        rows(text) for text in shown(outputs, "text/html") if text.startswith("<table")
    ]
    assert [
        "Daily active users",
        "1.0",
        "users",
        "day 2018-11-04",
        "Users with at least one event on that day.",
    ] in figures
    assert retention[1] == ["2018-10-29", "1", "", "", "", ""]
    assert changes == [["no rows"]]
    counted = loaded.query(
        "SELECT date_part('hour', start_time)::int::text, count(*)::text FROM songplays "
        "WHERE start_time >= '2018-10-29 15:00' GROUP BY 1, date_part('hour', start_time) "
        "ORDER BY count(*) DESC, date_part('hour', start_time) LIMIT 5"
    )
    assert busiest == [["hour", "plays"], *map(list, counted)]
    assert counted[:2] == [("9", "3"), ("15", "3")]
    linked = loaded.one("SELECT count(*) FROM songplays WHERE song_id IS NOT NULL")
    assert most_played == [["song", "artist", "plays"], ["You Gotta Be", "Des&#x27;ree", str(linked)]]
    assert places == [
        ["location", "plays", "listeners"],
        ["Phoenix-Mesa-Scottsdale, AZ", "1", "1"],
    ]  # half of the last day


def test_invalid_timestamps_are_ignored(loaded: Lab) -> None:
    put_implausible(loaded)
    outputs = run(loaded)
    assert [output for output in outputs if output["output_type"] in ("error", "stream")] == []
    assert shown(outputs, "text/markdown") == ["**42 plays** on 3 days"]


def test_the_page_is_self_contained(loaded: Lab) -> None:
    page = notebook.execute(NOTEBOOK)
    assert "<strong>42 plays</strong> on 3 days" in page
    assert page.count('src="data:image/png;base64,') == 6
    loads = re.findall(r"""(?:(?:src|href)=|import\(?[^;'"]*|url\()['"]?([^'" >)]+)""", page)
    assert any(address.startswith("data:") for address in loads)
    assert [address for address in loads if re.match(r"(https?:)?//", address)] == []


# TeX would render the first as "Keha&AAP" and fail on the second; HTML and Markdown could interpret the others.
NAMES = ["Ke$ha & A$AP", r"$\frac$", r"A$AP \_ $100", "<b>*Bold*</b>", "`Tick`"]


@pytest.fixture
def named(lab: Lab) -> Lab:
    """Return a lab whose artists, songs and locations have these names."""
    for number, name in enumerate(NAMES):
        lab.put_song(str(number), song(f"SO{number}", title=name, artist_name=name, artist_id=f"AR{number}"))
    lab.put_events(
        "2018-11-01",
        [
            event("2018-11-01T09:00:00", 7, 10 * number + count, song=name, artist=name, location=name)
            for number, name in enumerate(NAMES)
            for count in range(number + 1)
        ],
    )
    lab.run("2018-11-01", "2018-11-02")
    return lab


def test_names_are_shown_unchanged(named: Lab) -> None:
    """Read the texts of the charts from SVG, in which matplotlib can preserve them."""
    book = read()
    first = next(cell for cell in book.cells if "import matplotlib" in cell.source)
    first.source += "\n%config InlineBackend.figure_formats = ['svg']\nplt.rcParams['svg.fonttype'] = 'none'"
    NotebookClient(
        book, timeout=120, kernel_name="python3", resources={"metadata": {"path": NOTEBOOK.parent}}
    ).execute()
    outputs = [output for cell in book.cells if cell.cell_type == "code" for output in cell.outputs]
    assert [output for output in outputs if output["output_type"] in ("error", "stream")] == []
    drawn = [re.findall(r"<text[^>]*>([^<]*)</text>", chart) for chart in shown(outputs, "image/svg+xml")]
    found = [[name for name in NAMES if name in map(unescape, texts)] for texts in drawn]
    assert found == [[], [], [], NAMES, NAMES, []]
    tables = [text for text in shown(outputs, "text/html") if text.startswith("<table")]
    assert [text for text in tables if 'class="tex2jax_ignore mathjax_ignore"' not in text] == []
    assert {unescape(row[0]) for row in rows(tables[-1])[1:]} == set(NAMES)


def test_a_chart_that_cannot_be_rendered_fails_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    """Jupyter does not report it as an error."""
    cells = ["import matplotlib.pyplot as plt", "plt.text(0, 0, r'$\\frac$', parse_math=True)\nplt.show()"]
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in cells])
    monkeypatch.setattr(nbformat, "read", lambda *_, **__: book)
    with pytest.raises(notebook.CellError, match=r"^Cell 2 of sparkify\.ipynb, starting with .*, failed: \w+Error: "):
        notebook.execute(NOTEBOOK)


def test_a_failed_cell_fails_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--state", str(tmp_path)]
    parser = jobs.parser("", "")
    job = jobs.read_job(parser, parser.parse_args(arguments), hourly=False)
    with (
        servers.postgres(tmp_path / "postgres") as server,
        psycopg.connect(server.create_database(job.name)) as connection,
    ):
        connection.execute("CREATE TABLE songplays AS SELECT 1 AS songplay_id")
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1 / 0")])
    monkeypatch.setattr(nbformat, "read", lambda *_, **__: book)
    assert notebook.main(arguments) == 1
    printed = " ".join(capsys.readouterr().out.split())
    assert "✗ Execute the notebook" in printed
    assert "Cell 1 of sparkify.ipynb, starting with '1 / 0', failed: ZeroDivisionError: division by zero" in printed
    assert list(tmp_path.glob("*.html")) == []


def test_without_a_warehouse_the_command_names_the_remedy(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert notebook.main(["--state", str(tmp_path)]) == 2
    assert "has not been loaded. Load it first: make run FROM=2018-11-01 TO=2018-11-03" in capsys.readouterr().out
    assert not (tmp_path / "postgres").exists()


def test_a_missing_connection_is_reported(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AIRFLOW_CONN_REDSHIFT")
    with pytest.raises(
        CellExecutionError, match=r"Airflow connection 'redshift' does not exist.*AIRFLOW_CONN_REDSHIFT"
    ):
        run(lab)
