# Two images from one file: `notary` (API, worker, time-stamping authority) and `chain` (a local chain, for trying out).
# Every package comes by its hash from the locks. The index is pip's default, or what PIP_INDEX_URL names at build time.

FROM node:22-slim AS chain
WORKDIR /opt/chain
COPY contracts_solidity/package.json contracts_solidity/package-lock.json ./
# The program itself, not its npm wrapper, which would stand between it and the signal to save its state.
RUN npm ci --ignore-scripts --no-audit --no-fund \
    && ln -s /opt/chain/node_modules/@foundry-rs/anvil-linux-*/bin/anvil /usr/local/bin/anvil && anvil --version \
    && install -d -o node -g node /var/lib/chain
ENV HOME=/tmp NO_COLOR=1
USER node
ENTRYPOINT ["anvil"]

FROM python:3.11-slim AS build
ARG PIP_INDEX_URL
ENV UV_LINK_MODE=copy UV_COMPILE_BYTECODE=1 UV_NO_CACHE=1
WORKDIR /src
COPY requirements/ requirements/
RUN set -eu; [ -z "${PIP_INDEX_URL:-}" ] || export UV_DEFAULT_INDEX="$PIP_INDEX_URL"; \
    python -m pip install --no-cache-dir --require-hashes -r requirements/uv.txt; \
    uv venv /opt/notary; \
    uv pip sync --python /opt/notary/bin/python --require-hashes requirements/server.txt
COPY LICENSE README.md pyproject.toml ./
COPY notary/ notary/
RUN set -eu; [ -z "${PIP_INDEX_URL:-}" ] || export UV_DEFAULT_INDEX="$PIP_INDEX_URL"; \
    uv build --wheel --build-constraints requirements/dev.txt --require-hashes --out-dir /tmp/dist; \
    uv pip install --python /opt/notary/bin/python --no-deps /tmp/dist/*.whl

FROM python:3.11-slim AS notary
# Folders for volumes: a new volume takes the owner of the folder that it is mounted on. The authority has a user of its
# own, since nobody else needs its key.
RUN openssl version \
    && useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin notary \
    && useradd --uid 10002 --no-create-home --shell /usr/sbin/nologin tsa \
    && install -d -o notary -g notary /var/lib/notary /keys/log /keys/receipt /secrets/database /secrets/postgres \
    && install -d -o tsa -g tsa /var/lib/tsa
COPY --from=build /opt/notary /opt/notary
ENV PATH=/opt/notary/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 HOME=/tmp
WORKDIR /var/lib/notary
USER notary
EXPOSE 8000
ENTRYPOINT ["notary"]
CMD ["serve"]
