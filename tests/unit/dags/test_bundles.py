"""What docs/deploy.md says of Airflow's DAG bundles."""

from __future__ import annotations

import pytest
from airflow.dag_processing.bundles.local import LocalDagBundle
from airflow.providers.amazon.aws.bundles.s3 import S3DagBundle

from tests.conftest import ROOT


@pytest.mark.parametrize(
    "bundle", [S3DagBundle(name="s3", bucket_name="bucket"), LocalDagBundle(name="local")], ids=str
)
def test_a_bundle_has_no_versions(bundle: S3DagBundle | LocalDagBundle) -> None:
    """If this fails, they have: tell the reader, and test it as the Git bundle is tested."""
    assert not bundle.supports_versioning
    assert bundle.get_current_version() is None


def test_the_version_of_the_provider() -> None:
    pinned = "apache-airflow-providers-amazon==9.39."
    assert pinned in (ROOT / "requirements.txt").read_text()
    assert "amazon provider 9.39 has no versions" in (ROOT / "docs" / "deploy.md").read_text()
