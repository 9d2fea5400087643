"""The web server with TLS that docs/compose.md puts in front of Airflow."""

from __future__ import annotations

import re
import ssl
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import httpx

from tests.compose.stack import CADDY, ComposeStack, block, parse, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# The documented values, and their replacements in the test.
NAME, PORT, HTTP_PORT = "airflow.example.com", 18443, 18081
URL = f"https://localhost:{PORT}"


@contextmanager
def web_server(stack: ComposeStack, folder: Path) -> Iterator[httpx.Client]:
    """Run the documented web server and the stack behind it; yield a client of the web server.

    :param folder: an empty one. For ``localhost`` Caddy is an authority itself, which the client trusts.
    """
    options = f"{{\nhttp_port {HTTP_PORT}\nhttps_port {PORT}\nskip_install_trust\n}}\n"
    site = block("TLS", "caddy").replace(NAME, "localhost").replace(":8080", f":{stack.environment['AIRFLOW_PORT']}")
    (folder / "Caddyfile").write_text(options + site)
    settings = parse(block("TLS", "ini").replace(NAME, f"localhost:{PORT}"))
    replace(stack, environment=stack.environment | settings).sh("docker compose up -d --wait")
    container = stack.sh(f"docker run --rm --detach --network host --volume {folder}:/etc/caddy:ro {CADDY}").strip()
    try:
        authority = "/data/caddy/pki/authorities/local/root.crt"
        read = f"docker exec {container} cat {authority} 2>/dev/null || true"
        context = ssl.create_default_context(cadata=wait_for(lambda: stack.sh(read), "Caddy's certificate", 60))
        # A browser sends the referring page, and over TLS the form requires it.
        headers = {"Referer": URL}
        with httpx.Client(base_url=URL, headers=headers, verify=context, timeout=60, trust_env=False) as client:
            yield client
    finally:
        stack.sh(f"docker stop {container}")


def log_in(client: httpx.Client, user: str, password: str) -> httpx.Response:
    """Submit the login form; return the response."""
    form = client.get("/auth/login/").raise_for_status().text
    token = re.findall(r'name="csrf_token"[^>]* value="([^"]+)"', form)[0]
    return client.post("/auth/login/", data={"username": user, "password": password, "csrf_token": token})
