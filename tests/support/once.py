"""Do once per process what a process of a task does once, and the tests hundreds of times."""

from __future__ import annotations

import logging
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    import boto3
    import pytest
    from obstore.store import S3Store

    from sparkify.s3 import OpenStoreWithHeaders


def compile_templates(patch: pytest.MonkeyPatch) -> None:
    """Compile each template of the operators' fields once.

    Airflow compiles the templates of a task's fields when it renders them, which took a quarter of the tests' CPU time.
    """
    from airflow.sdk.definitions._internal.templater import SandboxedEnvironment

    compiled: dict[tuple[Any, ...], Any] = {}
    original = SandboxedEnvironment.compile

    def compile_once(self: SandboxedEnvironment, *arguments: Any, **names: Any) -> Any:
        key = (arguments, *names.items())
        if key not in compiled:
            compiled[key] = original(self, *arguments, **names)
        return compiled[key]

    patch.setattr(SandboxedEnvironment, "compile", compile_once)


def open_buckets(patch: pytest.MonkeyPatch) -> None:
    """Open the AWS session of a connection once, and the latest buckets once.

    Each takes 5 ms of CPU time, a tenth of that of the tests that load something.
    """
    from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook

    from sparkify import s3

    sessions: list[tuple[Any, boto3.session.Session]] = []
    get_session, stores = AwsBaseHook.get_session, s3.stores

    def get_session_once(self: AwsBaseHook, *arguments: Any, **names: Any) -> boto3.session.Session:
        key = (self.conn_config, arguments, names)
        for known, session in sessions:
            if known == key:
                return session
        session = get_session(self, *arguments, **names)
        sessions.append((key, session))
        return session

    @cache
    def stores_once(
        endpoint_url: str | None, region: str | None, session: boto3.session.Session
    ) -> OpenStoreWithHeaders:
        original = stores(endpoint_url, region, session)

        @lru_cache(maxsize=8)
        def open_once(bucket: str, headers: tuple[tuple[str, str], ...]) -> S3Store:
            return original(bucket, dict(headers))

        def open_store(bucket: str, headers: Mapping[str, str] | None = None) -> S3Store:
            return open_once(bucket, tuple((headers or {}).items()))

        return open_store

    patch.setattr(AwsBaseHook, "get_session", get_session_once)
    patch.setattr(s3, "stores", stores_once)


def create_clients(patch: pytest.MonkeyPatch) -> None:
    """Create botocore's clients for less: each task has a session of its own, with several clients.

    The description of a service is decoded once, and the files that describe services are listed once. For a client's
    user agent, Airflow's hooks look for their caller on the stack, for which Python inspects all imported modules: they
    do not. Together that took half of the CPU time of the tests of the infrastructure.
    """
    from airflow.providers.amazon.aws.hooks.base_aws import AwsGenericHook
    from botocore.loaders import JSONFileLoader, Loader

    read, list_services = cache(JSONFileLoader().load_file), Loader.list_available_services
    listed: dict[tuple[str, ...], list[str]] = {}

    def list_once(self: Loader, type_name: str) -> list[str]:
        key = (*self.search_paths, type_name)
        if key not in listed:
            listed[key] = list_services(self, type_name)
        return listed[key]

    patch.setattr(JSONFileLoader, "load_file", lambda self, path: read(path))
    patch.setattr(Loader, "list_available_services", list_once)
    patch.setattr(AwsGenericHook, "_get_caller", lambda self: "tests")


def log_once() -> None:
    """Remove Airflow's handler of the console: pytest captures the log, and formats each record itself."""
    from structlog.stdlib import ProcessorFormatter

    root = logging.getLogger()
    for handler in [handler for handler in root.handlers if isinstance(handler.formatter, ProcessorFormatter)]:
        root.removeHandler(handler)
