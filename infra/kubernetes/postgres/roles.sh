#!/bin/sh
# PostgreSQL runs this once, when its volume is empty: a role and a database each for Airflow and Dagster.
# It is read by the image's own script, so it must not change that shell's options.
role() {
    psql --set=ON_ERROR_STOP=1 --quiet --username "$POSTGRES_USER" --dbname postgres --set=name="$1" --set=password="$2" <<'SQL'
CREATE ROLE :"name" LOGIN PASSWORD :'password';
CREATE DATABASE :"name" OWNER :"name" ENCODING 'UTF8' TEMPLATE template0;
SQL
}
role airflow "$AIRFLOW_DB_PASSWORD"
role dagster "$DAGSTER_DB_PASSWORD"
