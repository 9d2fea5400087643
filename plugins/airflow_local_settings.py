"""What the processes that start tasks import once, so that no task has to.

LocalExecutor and Celery's workers start a task by forking: what they have imported costs it nothing. Otherwise each
task imports it anew, boto3 and sqlglot alone for a tenth of a second of a processor.

Packages only, and nothing of this project: a task runs the project's files as they are when it starts.

Airflow imports a module of this name in each of its processes, from config/, plugins/ or PYTHONPATH:
https://airflow.apache.org/docs/apache-airflow/stable/howto/set-config.html#configuring-local-settings. Amazon MWAA has
its own, which loads this one.
"""

from __future__ import annotations

import sys
from contextlib import suppress
from importlib import import_module

__all__: list[str] = []  # Airflow would take all else for settings of its own

PACKAGES = (
    "airflow.providers.amazon.aws.hooks.base_aws",
    "airflow.providers.amazon.aws.hooks.redshift_sql",
    "airflow.providers.postgres.hooks.postgres",
    "jsonschema",
    "msgspec",
    "obstore.auth.boto3",
    "psycopg",
    "sqlglot.dialects.redshift",
    "sqlglot.optimizer.normalize_identifiers",
    "sqlparse",
    "tenacity",
    "yaml",
)

if {"scheduler", "worker"} & {*sys.argv}:
    for package in PACKAGES:
        with suppress(ImportError):  # the task that needs it says what is missing
            import_module(package)
