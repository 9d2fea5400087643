# Airflow with the project in it. https://airflow.apache.org/docs/docker-stack/build.html
ARG AIRFLOW_VERSION=3.3.2
# Pins the image: "@sha256:..." (docs/compose.md).
ARG AIRFLOW_DIGEST=
FROM apache/airflow:${AIRFLOW_VERSION}-python3.12${AIRFLOW_DIGEST} AS base
ARG AIRFLOW_VERSION
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
WORKDIR /opt/airflow

# What the image has stays as it is where it is new enough: its packages were tested with that Airflow, and its auth
# manager (FAB) needs an older SQLAlchemy than the lock names. The rest comes from the lock, verified by hash.
COPY --chown=airflow:0 requirements.txt containers/image.py /tmp/project/
COPY --chown=airflow:0 locks /tmp/project/locks
RUN grep -qx "apache-airflow==${AIRFLOW_VERSION}" /tmp/project/requirements.txt \
 || { echo "requirements.txt names another Airflow than the image's ${AIRFLOW_VERSION}: AIRFLOW_VERSION in Dockerfile"; exit 1; }
RUN python /tmp/project/image.py /tmp/project \
 && pip install --no-cache-dir --no-deps --require-hashes -r /tmp/project/new.txt \
 && pip check

COPY --chown=airflow:0 dags dags
COPY --chown=airflow:0 include include
COPY --chown=airflow:0 plugins plugins
COPY --chown=airflow:0 containers containers
# Without it every task would compile what it imports.
RUN python -m compileall -q dags plugins
ENV PYTHONPATH=/opt/airflow/plugins
ENTRYPOINT ["/usr/bin/dumb-init", "--", "/opt/airflow/containers/entrypoint"]

# The S3 server of a stack without AWS.
FROM base AS s3
RUN pip install --no-cache-dir --require-hashes -r /tmp/project/s3.txt \
 && mkdir objects
VOLUME /opt/airflow/objects
CMD ["/opt/airflow/containers/s3"]

# The app that writes events, of a stack without AWS. No other image has it.
FROM base AS sample
RUN pip install --no-cache-dir --no-deps --require-hashes -r /tmp/project/sample.txt
COPY --chown=airflow:0 sandbox sandbox
ENV PYTHONPATH=/opt/airflow/plugins:/opt/airflow
CMD ["python", "-m", "sandbox.sample"]

FROM base AS airflow
