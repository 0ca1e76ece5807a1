# The five services and the Jobs beside them, without torch. From the repository's root:
#   docker build --file deploy/docker/serving.Dockerfile --tag headrace/serving:0.1.0 .
# Run it as `docker run headrace/serving:0.1.0 services.ranker`; the root file system may be read-only.

FROM python:3.11.14-slim-bookworm AS wheel
RUN pip install --no-cache-dir uv==0.13.9
WORKDIR /source
COPY LICENSE README.md pyproject.toml requirements.lock ./
COPY protos protos
COPY headrace headrace
COPY services services
COPY web web
RUN uv build --wheel --build-constraint requirements.lock --out-dir /wheels

FROM python:3.11.14-slim-bookworm AS environment
RUN pip install --no-cache-dir uv==0.13.9 cyclonedx-bom==7.5.0
COPY requirements.lock /wheels/
COPY --from=wheel /wheels/*.whl /wheels/
# The lock names versions and hashes of more than is installed here.
RUN uv venv /opt/headrace \
    && wheel="$(echo /wheels/headrace-*.whl)" \
    && VIRTUAL_ENV=/opt/headrace uv pip install --no-cache --compile-bytecode \
        --constraint /wheels/requirements.lock "${wheel}[serving,s3]" \
    && cyclonedx-py environment --output-reproducible --output-file /opt/headrace/sbom.cdx.json \
        /opt/headrace

FROM python:3.11.14-slim-bookworm
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Headrace serving" \
    org.opencontainers.image.description="The five services of a real-time recommender" \
    org.opencontainers.image.licenses="Apache-2.0" \
    org.opencontainers.image.source="https://github.com/headrace/headrace" \
    org.opencontainers.image.version="0.1.0" \
    org.opencontainers.image.revision="${REVISION}"
# pg_dump and pg_restore, for `headrace backup` and `restore`: of the server's version, which Debian 12 has not. The
# repository of PostgreSQL has, and its key comes with Debian's postgresql-common.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends \
        ca-certificates=2023* postgresql-common=248* \
    && /usr/share/postgresql-common/pgdg/apt.postgresql.org.sh -y \
    && apt-get install --yes --no-install-recommends postgresql-client-18=18.* \
    && rm -rf /var/lib/apt/lists/*
RUN groupadd --gid 10001 headrace \
    && useradd --uid 10001 --gid 10001 --no-create-home --shell /usr/sbin/nologin headrace
COPY --from=environment /opt/headrace /opt/headrace
ENV PATH=/opt/headrace/bin:/usr/lib/postgresql/18/bin:$PATH \
    ORT_DISABLE_TELEMETRY=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
USER 10001:10001
WORKDIR /tmp
ENTRYPOINT ["python", "-m"]
