"""Create the three users of .env in Airflow's FAB auth manager.

The roles: https://airflow.apache.org/docs/apache-airflow-providers-fab/stable/auth-manager/access-control.html
"""

from __future__ import annotations

import os
import sys

# Each user's role; the password is in <USER>_PASSWORD.
ROLES = {"admin": "Admin", "operator": "Op", "viewer": "Viewer"}


def main() -> int:
    """Create the users, or reset the passwords of existing ones; return the exit code.

    Airflow's command line takes a password as an argument, which ``ps`` shows.
    """
    from airflow.providers.fab.auth_manager.cli_commands.utils import get_application_builder

    with get_application_builder() as builder:
        manager = builder.sm
        for name, role in ROLES.items():
            password = os.environ[f"{name.upper()}_PASSWORD"]
            user = manager.find_user(username=name)
            if user:
                done = manager.reset_password(user.id, password)
            else:
                done = manager.add_user(
                    name, name.capitalize(), "Sparkify", f"{name}@localhost", manager.find_role(role), password
                )
            if not done:
                print(f"The user {name} cannot be created or changed: see the messages above.", file=sys.stderr)
                return 1
            print(f"User {name}: role {role}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
