"""A session with Redshift, as the client opens it."""

from __future__ import annotations

import json
from typing import Any


def open_session() -> Any:
    """Return a session of the client's with the connections ``redshift`` and ``aws``."""
    from airflow.providers.amazon.aws.hooks.redshift_sql import RedshiftSQLHook

    hook = RedshiftSQLHook(redshift_conn_id="redshift", aws_conn_id="aws")
    # Without a name the client inspects all imported modules, which takes 20 ms or more.
    hook.conn.extra = json.dumps({**hook.conn.extra_dejson, "application_name": "tests"})
    return hook.get_conn()
