"""Fixtures for the local Redshift endpoint, which speaks the client's real wire protocol."""

from __future__ import annotations

import ipaddress
import json
import ssl
import uuid
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import boto3
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from sandbox import servers
from sandbox.airflow import connections
from sandbox.lab import Lab
from sparkify.s3 import stores
from tests.conftest import GIVEN
from tests.redshift.endpoint import ROLE, Endpoint
from tests.redshift.isolation import Isolation, Level
from tests.redshift.workgroup import BUCKET, CONNECTIONS, Both, connected, workgroup
from tests.support.labs import EMPTY, connect

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from tests.conftest import MakeLab
    from tests.support.labs import Labs

    OpenBoth = Callable[..., AbstractContextManager[Both]]


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Create a self-signed certificate for localhost, with its key in the same file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "localhost.pem"
    path.write_bytes(
        signed.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return path


@pytest.fixture(scope="session")
def open_endpoint(postgres: servers.PostgresServer, s3: servers.S3Server, certificate: Path) -> Callable[[], Endpoint]:
    """Return a function that creates an endpoint; clients trust it if SSL_CERT_FILE names its certificate."""

    def make() -> Endpoint:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(certificate)
        session = boto3.session.Session(servers.ACCESS_KEY, servers.SECRET_KEY)
        return Endpoint(postgres, stores(s3.endpoint, servers.REGION, session), servers.REGION, tls)

    return make


@pytest.fixture
def endpoint(
    open_endpoint: Callable[[], Endpoint], certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Endpoint]:
    """Start an endpoint whose certificate this process trusts."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with open_endpoint() as endpoint:
        yield endpoint


def on_endpoint(lab: Lab, endpoint: Endpoint) -> dict[str, str]:
    """Return the environment variables of a lab's connections, with ``redshift`` on an endpoint."""
    aws = json.loads(lab.environment["AIRFLOW_CONN_AWS"])
    aws["extra"]["copy_iam_role"] = ROLE
    return {
        "AIRFLOW_CONN_REDSHIFT": endpoint.connection(lab.bucket),
        "AIRFLOW_CONN_AWS": json.dumps(aws),
    }


@pytest.fixture(scope="session")
def redshift_tables(labs: Labs, open_endpoint: Callable[[], Endpoint], certificate: Path) -> str:
    """Create a database with the warehouse's empty tables as the endpoint creates them; return its name, for copies."""
    lab, name = labs.create(EMPTY)
    with open_endpoint() as endpoint, connected({"SSL_CERT_FILE": str(certificate), **on_endpoint(lab, endpoint)}):
        lab.run("2018-11-01", "2018-11-02", tasks=["create_tables"])
    return name


@pytest.fixture
def redshift(endpoint: Endpoint, make_lab: MakeLab, redshift_tables: str, monkeypatch: pytest.MonkeyPatch) -> Lab:
    """Return a lab whose connection ``redshift`` has type redshift and whose COPY is authorized by a role.

    Its tables are empty.
    """
    lab = make_lab(redshift_tables)
    lab.environment = on_endpoint(lab, endpoint)
    return connect(lab, monkeypatch)


@pytest.fixture
def empty_redshift(endpoint: Endpoint, make_lab: MakeLab, monkeypatch: pytest.MonkeyPatch) -> Lab:
    """Return such a lab without tables."""
    lab = make_lab(EMPTY)
    lab.environment = on_endpoint(lab, endpoint)
    return connect(lab, monkeypatch)


@pytest.fixture(scope="session")
def open_both(
    postgres: servers.PostgresServer, s3: servers.S3Server, open_endpoint: Callable[[], Endpoint], certificate: Path
) -> OpenBoth:
    """Return a function that opens an empty lab on Redshift, and one on the local engine.

    Redshift is that of the environment if REDSHIFT_BUCKET is set, otherwise an endpoint.
    """

    def lab() -> Lab:
        name = f"lab-{uuid.uuid4().hex[:12]}"
        uri = postgres.create_database(name)
        return Lab(uri, servers.bucket(s3, name), name, connections(postgres, name, s3))

    @contextmanager
    def make(isolation: Level = "SNAPSHOT") -> Iterator[Both]:
        """Open both.

        :param isolation: the isolation level of the database on Redshift.
        """
        with ExitStack() as stack:
            if BUCKET:
                bucket, given = BUCKET, {name: GIVEN[name] for name in CONNECTIONS}
            else:
                stack.enter_context(connected({"SSL_CERT_FILE": str(certificate)}))
                substitute = lab()
                endpoint = stack.enter_context(open_endpoint())
                endpoint.isolation = Isolation(isolation)
                bucket, given = substitute.bucket, on_endpoint(substitute, endpoint)
            yield Both(stack.enter_context(workgroup(bucket, given, isolation)), lab())

    return make
