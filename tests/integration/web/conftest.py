"""The page's application behind Airflow's own authentication."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fastapi.testclient import TestClient


@pytest.fixture(scope="session")
def token() -> Iterator[str]:
    """A token of a user of Airflow."""
    from airflow.api_fastapi.app import init_auth_manager
    from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser

    from sandbox.airflow import migrate

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AIRFLOW__API_AUTH__JWT_SECRET", "a secret for a test " * 4)
        migrate()  # revoked tokens are in the metadata database
        yield init_auth_manager().generate_jwt(SimpleAuthManagerUser(username="ada", role="viewer"))


@pytest.fixture
def anonymous() -> Iterator[TestClient]:
    """A client that is not logged in, of a separate application, mounted as in Airflow."""
    from fastapi import FastAPI
    from fastapi.testclient import TestClient

    import sparkify_page
    from sparkify.web.app import application

    application.cache_clear()
    airflow = FastAPI()
    airflow.mount(sparkify_page.PREFIX, sparkify_page.application)
    with TestClient(airflow, raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def admin(anonymous: TestClient, token: str) -> TestClient:
    """A client that is logged in as a user who may trigger runs."""
    from airflow.api_fastapi.app import get_auth_manager
    from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser

    user = SimpleAuthManagerUser(username="adam", role="admin")
    anonymous.cookies.set("_token", get_auth_manager().generate_jwt(user))
    return anonymous


@pytest.fixture
def client(anonymous: TestClient, token: str) -> TestClient:
    """A client that is logged in with a cookie, like a browser."""
    anonymous.cookies.set("_token", token)
    return anonymous
