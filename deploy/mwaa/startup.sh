#!/bin/bash
# Sourced by each container of Amazon MWAA before it installs the requirements and starts Airflow:
# https://docs.aws.amazon.com/mwaa/latest/userguide/using-startup-script.html

# The project expects include/ beside dags/ and plugins/; MWAA unpacks it in plugins/.
ln -sfn "$AIRFLOW_HOME/plugins/include" "$AIRFLOW_HOME/include"

# Settings, all optional. The configuration options of the environment override them.

# Connections and variables from Secrets Manager, where the DAG sparkify_infrastructure_create writes them.
#export AIRFLOW__SECRETS__BACKEND=airflow.providers.amazon.aws.secrets.secrets_manager.SecretsManagerBackend

# The queue of arriving files, and the schedule without messages.
#export AIRFLOW__SPARKIFY__QUEUE=https://sqs.us-west-2.amazonaws.com/123456789012/sparkify-arrivals
#export AIRFLOW__SPARKIFY__RECONCILE_SCHEDULE="30 * * * *"

# When a provisioned cluster pauses and resumes, in UTC.
#export SPARKIFY_PAUSE_SCHEDULE="0 18 * * 1-5"
#export SPARKIFY_RESUME_SCHEDULE="0 8 * * 1-5"
