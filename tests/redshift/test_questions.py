"""Redshift answers as the project assumes: the table of questions.py, which the report of `make proof` contains.

On the local endpoint these tests verify the questions, and that the endpoint answers alike.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import redshift_connector

from sparkify.warehouse import WarehouseError, connect
from tests.redshift.client import open_session
from tests.redshift.questions import DOCS, QUESTIONS, REFUSED, Client, Question
from tests.redshift.workgroup import BUCKET, TIMEOUT, Both, connected

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.redshift.conftest import OpenBoth

pytestmark = [
    pytest.mark.filterwarnings("ignore:ssl:DeprecationWarning"),  # of redshift_connector
    pytest.mark.timeout(TIMEOUT),
]


@pytest.fixture(scope="module")
def both(open_both: OpenBoth) -> Iterator[Both]:
    with open_both() as both:
        yield both


@pytest.fixture
def client(both: Both) -> Iterator[Client]:
    """Open a session with Redshift."""
    lab = both.redshift

    def load(table: str, lines: list[str], options: list[str]) -> tuple[int, int]:
        lab.put(f"log_data/{table}/one.json", "\n".join(lines))
        source = f"s3://{lab.bucket}/{lab.key(f'log_data/{table}/')}"
        with connect("redshift", "aws") as warehouse:
            copy = ["FORMAT AS JSON 'auto'", *options]
            done = warehouse.transaction(lambda: warehouse.copy(table, source, copy), lock=[table])
        return done.rows, done.rejected

    with connected(lab.environment):
        client = Client(open_session, load)
        yield client
        client.close()


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda item: f"{item.topic}: {item.text}")
def test_redshift_answers_as_assumed(
    question: Question, client: Client, record_property: Callable[[str, object], None]
) -> None:
    record_property("topic", question.topic)
    record_property("question", question.text)
    record_property("assumed", question.assumed)
    if question.not_local and not BUCKET:
        pytest.skip(f"Not asked: {question.not_local}.")
    try:
        answer = question.ask(client)
    except (redshift_connector.Error, WarehouseError) as error:
        found = error.args[0]
        record_property("answered", f"{REFUSED}: {found.get('M') if isinstance(found, dict) else found}")
        answer = REFUSED
    else:
        record_property("answered", answer)
    assert answer == question.assumed


def test_facts(both: Both, record_property: Callable[[str, object], None]) -> None:
    ((version,),) = both.query("SELECT VERSION() AS v")[0][1]
    record_property("fact: version", version)
    assert version


def test_questions_have_a_page() -> None:
    assert all(question.page.startswith(f"{DOCS}/") for question in QUESTIONS)
    assert len({(question.topic, question.text) for question in QUESTIONS}) == len(QUESTIONS)
