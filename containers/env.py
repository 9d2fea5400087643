"""``make env``: write .env from .env.example, with generated secrets. It needs Python only.

python -m containers.env [FILE]
"""

from __future__ import annotations

import base64
import os
import re
import secrets
import sys
from pathlib import Path

EXAMPLE = Path(__file__).parents[1] / ".env.example"
FERNET = "AIRFLOW_FERNET_KEY"
# The settings that are secrets: generated if they are empty in the example.
SECRET = re.compile(r"^(\w+_(?:PASSWORD|SECRET|SECRET_KEY|FERNET_KEY))=$", re.MULTILINE)


def fill(example: str) -> str:
    """Return the text of .env.example with a value for every secret.

    They are hexadecimal, since some become part of a URL, and 64 bytes long, the minimum of the JWT secret. The format
    of the Fernet key: https://airflow.apache.org/docs/apache-airflow/stable/security/secrets/fernet.html
    """

    def value(match: re.Match[str]) -> str:
        name = match[1]
        made = base64.urlsafe_b64encode(secrets.token_bytes(32)).decode() if name == FERNET else secrets.token_hex(32)
        return f"{name}={made}"

    return SECRET.sub(value, example)


def main(arguments: list[str] | None = None) -> int:
    """Write the file, readable by its owner only; return the exit code. An existing file is never changed."""
    given = sys.argv[1:] if arguments is None else arguments
    path = Path(given[0]) if given else EXAMPLE.with_name(".env")
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        print(
            f"{path} exists and is not changed: new secrets would not match the existing databases and connections.",
            file=sys.stderr,
        )
        return 1
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(fill(EXAMPLE.read_text(encoding="utf-8")))
    print(f"Wrote {path}. Log in as admin, operator or viewer with the passwords in it.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
