"""What the processes that start tasks import once, so that no task has to.

LocalExecutor and Celery's workers start a task by forking: what they have imported costs it nothing. Otherwise each
task imports it anew: boto3 and sqlglot alone take a tenth of a second of a processor, this project half of that.

A task runs the project's files of its own commit, as they are when it starts. So it gets the imported modules of the
project only if their files are those that it would import itself, and unchanged. Otherwise it imports its own.

Airflow imports a module of this name in each of its processes, from config/, plugins/ or PYTHONPATH:
https://airflow.apache.org/docs/apache-airflow/stable/howto/set-config.html#configuring-local-settings. Amazon MWAA has
its own, which loads this one.
"""

from __future__ import annotations

import sys
from contextlib import suppress
from importlib import import_module
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import ModuleType

__all__: list[str] = []  # Airflow would take all else for settings of its own

PACKAGES = (
    "airflow.providers.amazon.aws.hooks.base_aws",
    "airflow.providers.amazon.aws.hooks.redshift_sql",
    "airflow.providers.postgres.hooks.postgres",
    "jinja2.ext",
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
PROJECT = "sparkify"
# What the tasks of a load do not import.
UNUSED = ("__main__.py", "dag/arrivals.py", "dag/lineage.py", "infrastructure/", "web/")


class ImportedProject:
    """Passes the imported modules of the project to the first import of it, if that would import the same files.

    A finder and loader of the import system: https://docs.python.org/3/reference/import.html#finders-and-loaders.
    """

    def __init__(self, folder: Path) -> None:
        files = [file for file in sorted(folder.rglob("*.py")) if not any(text in str(file) for text in UNUSED)]
        self._versions = _versions(files)  # first: a file that changes meanwhile is imported again
        try:
            for file in files:
                import_module(".".join((PROJECT, *file.relative_to(folder).with_suffix("").parts)))
            import_module(f"{PROJECT}.operators.parsed").fill(folder, folder.parents[1] / "include")
        finally:
            names = [name for name in sys.modules if name.partition(".")[0] == PROJECT]
            self._modules = {name: sys.modules.pop(name) for name in names}
        self._origin, self._spec = str(folder / "__init__.py"), self._modules[PROJECT].__spec__
        if not (self._spec and self._spec.origin == self._origin):
            raise ImportError(f"Another {PROJECT} comes first on sys.path.")

    def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        """Return the package; None for other packages, or if its files are others."""
        if name != PROJECT:
            return None
        sys.meta_path.remove(self)
        found = PathFinder.find_spec(name)
        with suppress(OSError):  # a file was deleted
            if found and found.origin == self._origin and _versions(self._versions) == self._versions:
                return ModuleSpec(name, self, origin=found.origin, is_package=True)  # type: ignore[arg-type]
        return None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """Return the package."""
        return self._modules[spec.name]

    def exec_module(self, module: ModuleType) -> None:
        """Add the package's modules to the imported ones."""
        module.__spec__ = self._spec
        sys.modules.update(self._modules)


def _versions(files: Iterable[Path]) -> dict[Path, tuple[int, ...]]:
    """Return what changes with the content of files."""
    found = {file: file.stat() for file in files}
    return {file: (status.st_mtime_ns, status.st_size, status.st_ino) for file, status in found.items()}


def preload() -> None:
    """Import what tasks import."""
    for package in PACKAGES:
        with suppress(ImportError):  # the task that needs it says what is missing
            import_module(package)
    with suppress(Exception):  # likewise; other projects of this Airflow go on
        sys.meta_path.insert(0, ImportedProject(Path(__file__).with_name(PROJECT)))


# Not any argument: `pytest -m scheduler` is no scheduler.
if sys.argv[1:2] == ["scheduler"] or sys.argv[1:3] == ["celery", "worker"]:
    preload()
