"""The rendered chart; without a chart the tests are skipped."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.kubernetes.chart import Rendered

# Of requirements-kubernetes.txt: 350 MB, which only `make test-kubernetes` installs.
if find_spec("helm_python") is None or find_spec("kubernetes_validate") is None:
    collect_ignore_glob = ["test_*.py"]


@pytest.fixture(scope="session")
def archive() -> Path:
    """Return the chart's archive."""
    import helm_python as helm

    from tests.kubernetes import chart

    if given := os.environ.get("CHART"):
        return chart.find([Path(given).resolve(strict=True)])
    try:
        return chart.find(chart.PLACES)
    except helm.HelmError as error:
        pytest.skip(f"no CHART=<path of {chart.ARCHIVE}>, and it cannot be downloaded: {str(error).splitlines()[0]}")


@pytest.fixture(scope="session", params=["celery", "kubernetes"])
def rendered(archive: Path, request: pytest.FixtureRequest) -> Rendered:
    """Return the manifests of each variant."""
    from tests.kubernetes import chart

    return chart.render(archive, request.param)
