# Training and preparation, with torch: a few GB. From the repository's root:
#   docker build --file deploy/docker/training.Dockerfile --tag headrace/training:0.1.0 .
# Run it as `docker run headrace/training:0.1.0 headrace.training.train --help`.

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
        --constraint /wheels/requirements.lock "${wheel}[training,s3]" \
    && cyclonedx-py environment --output-reproducible --output-file /opt/headrace/sbom.cdx.json \
        /opt/headrace

FROM python:3.11.14-slim-bookworm
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Headrace training" \
    org.opencontainers.image.description="From interactions to a model of a real-time recommender" \
    org.opencontainers.image.licenses="Apache-2.0" \
    org.opencontainers.image.source="https://github.com/headrace/headrace" \
    org.opencontainers.image.version="0.1.0" \
    org.opencontainers.image.revision="${REVISION}"
RUN groupadd --gid 10001 headrace \
    && useradd --uid 10001 --gid 10001 --no-create-home --shell /usr/sbin/nologin headrace
COPY --from=environment /opt/headrace /opt/headrace
ENV PATH=/opt/headrace/bin:$PATH \
    ORT_DISABLE_TELEMETRY=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
USER 10001:10001
WORKDIR /tmp
ENTRYPOINT ["python", "-m"]
