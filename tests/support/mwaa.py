"""The folder /usr/local/airflow of Amazon MWAA, from its image: https://github.com/aws/amazon-mwaa-docker-images."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

ROOT = Path(__file__).parents[2]
# What the tests need beside the package.
TESTS = ("tests", "sandbox", "sql_rules", "containers", "deploy", "docs", "proof", "pyproject.toml", "requirements.txt")

# config/airflow_local_settings.py of the image loads that of plugins.zip, and lets its errors pass.
LOCAL_SETTINGS = """\
import importlib.util
import os

__all__ = []
path = os.path.join(os.environ["AIRFLOW_HOME"], "plugins", "airflow_local_settings.py")
spec = importlib.util.spec_from_file_location("customer_plugins_airflow_local_settings", path)
spec.loader.exec_module(importlib.util.module_from_spec(spec))
"""

# python/mwaa/config/airflow.py of the image: what does not depend on AWS.
SETTINGS = {
    "AIRFLOW__CORE__AUTH_MANAGER": "airflow.providers.fab.auth_manager.fab_auth_manager.FabAuthManager",
    "AIRFLOW__CORE__MULTI_TEAM": "False",
    "AIRFLOW__CORE__EXECUTE_TASKS_NEW_PYTHON_INTERPRETER": "True",
    "AIRFLOW__API__SERVER_TYPE": "gunicorn",
    "AIRFLOW__API__WORKER_REFRESH_INTERVAL": "43200",
    "AIRFLOW__API__WORKER_REFRESH_BATCH_SIZE": "1",
    "AIRFLOW__EXECUTION_API__JWT_EXPIRATION_TIME": "86400",
    "AIRFLOW__TRIGGERER__QUEUES_ENABLED": "False",
    "AIRFLOW__SCHEDULER__STANDALONE_DAG_PROCESSOR": "True",
    "AIRFLOW__SCHEDULER__SCHEDULE_AFTER_TASK_EXECUTION": "False",
    "AIRFLOW__SCHEDULER__TASK_QUEUED_TIMEOUT": "1800.0",
    "AIRFLOW__METRICS__STATSD_ON": "True",
    "AIRFLOW__METRICS__STATSD_HOST": "localhost",
    "AIRFLOW__METRICS__STATSD_PORT": "8125",
    "AIRFLOW__METRICS__STATSD_PREFIX": "airflow",
}


def unpack(package: Path, home: Path) -> None:
    """Lay out a package as MWAA does: copy the DAGs, unpack the plugins, source the start-up script.

    :param package: what ``make package`` has written.
    :param home: AIRFLOW_HOME, a new folder.
    """
    shutil.copytree(package / "dags", home / "dags")
    with ZipFile(package / "plugins.zip") as archive:
        archive.extractall(home / "plugins")
    (home / "config").mkdir()
    (home / "config" / "airflow_local_settings.py").write_text(LOCAL_SETTINGS)
    script = ["bash", "-c", 'source "$0"', str(package / "startup.sh")]
    subprocess.run(script, env={**os.environ, "AIRFLOW_HOME": str(home.resolve())}, check=True)


def code_blocks(language: str) -> list[str]:
    """Return the code blocks of deploy.md in a language."""
    text = (ROOT / "deploy" / "mwaa" / "deploy.md").read_text()
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def add_tests(home: Path) -> None:
    """Copy the tests beside the unpacked package: they test what is beside them."""
    for name in TESTS:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, home / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copyfile(source, home / name)


if __name__ == "__main__":
    package, home = Path(sys.argv[1]), Path(sys.argv[2])
    shutil.rmtree(home, ignore_errors=True)
    unpack(package, home)
    add_tests(home)
