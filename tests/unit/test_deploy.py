"""The decision table of docs/deploy.md: what it calls tried has a test that runs it. And the image for Astro."""

from __future__ import annotations

import re

import pytest

from tests.conftest import ROOT


def rows() -> dict[str, str]:
    """Return the column `tried` of the decision table, by the first column."""
    lines = (ROOT / "docs" / "deploy.md").read_text().splitlines()
    table = [line.strip("|").split("|") for line in lines[: lines.index("## Your own Airflow")] if line.startswith("|")]
    header, _, *body = [[cell.strip() for cell in row] for row in table]
    assert header == ["", "you run", "you get", "it costs you", "limits", "tried"]
    return {re.sub(r"\[(.*)\]\(.*\)", r"\1", row[0]): row[5] for row in body}


def evidence(text: str) -> tuple[list[str], list[str]]:
    """Return the make targets and the test files that a text names."""
    return re.findall(r"`make ([a-z-]+)`", text), re.findall(r"`(tests/[\w/.]+)`", text)


def test_the_table_has_all_places() -> None:
    places = ["a laptop", "one server", "Amazon MWAA", "Kubernetes", "Astro", "your own Airflow"]
    assert list(rows()) == places


@pytest.mark.parametrize("place", rows())
def test_what_was_tried_has_a_test(place: str) -> None:
    tried = rows()[place]
    targets, files = evidence(tried)
    makefile = (ROOT / "Makefile").read_text()
    assert [name for name in targets if not re.search(rf"^{name}:", makefile, re.MULTILINE)] == []
    assert [name for name in files if not (ROOT / name).exists()] == []
    answer = tried.partition(":")[0].partition(".")[0]
    assert answer in ("yes", "partly", "no")
    assert bool(targets or files) == (answer != "no"), "a test, if and only if something was tried"
    assert ("Missing: " in tried) == (answer != "yes"), "what is missing, unless everything was tried"


def test_tests_that_the_page_names_exist() -> None:
    targets, files = evidence((ROOT / "docs" / "deploy.md").read_text())
    assert {"compose-test", "test-astro", "test-scheduler"} <= set(targets)
    assert len(files) > 3
    assert [name for name in files if not (ROOT / name).exists()] == []
    assert [name for name in targets if f"\n{name}:" not in (ROOT / "Makefile").read_text()] == []


def test_the_image_for_astro() -> None:
    """It copies files of the build context only, and installs packages of the lock only, verified by hash."""
    dockerfile = (ROOT / "deploy" / "astro" / "Dockerfile").read_text()
    copied = re.findall(r"^COPY (?:--\S+ )*(.+) \S+$", dockerfile, re.MULTILINE)
    sources = [name for line in copied for name in line.split()]
    context = (ROOT / ".dockerignore").read_text().splitlines()
    assert [name for name in sources if not (ROOT / name).exists()] == []
    assert {name.split("/")[0] for name in sources} <= {line.removeprefix("!") for line in context}
    assert {"dags", "include", "plugins"} <= set(sources)
    (install,) = re.findall(r"pip install.*", dockerfile)
    assert " --require-hashes -r /tmp/project/" in install
    (base,) = re.findall(r"^FROM (.*)", dockerfile, re.MULTILINE)
    assert f"`FROM {base}`" in (ROOT / "docs" / "deploy.md").read_text()


def test_the_links_of_the_page_exist() -> None:
    page = ROOT / "docs" / "deploy.md"
    for target in re.findall(r"\]\(([^)]+)\)", page.read_text()):
        if not target.startswith("https://"):
            name, _, anchor = target.partition("#")
            path = (page.parent / name).resolve() if name else page
            assert path.exists(), target
            headings = re.findall(r"^#+ (.*)", path.read_text(), re.MULTILINE)
            assert not anchor or anchor in {
                re.sub(r"[^\w-]", "", item.lower().replace(" ", "-")) for item in headings
            }, target
