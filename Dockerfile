# The images of leafsight: what answers (target serve, without torch) and what trains (target train).
#
#   docker build --target serve -t leafsight:serve .
#   docker build --target train -t leafsight:train .
#
# Neither has a shell, a package manager or pip: only Python, the libraries that it asks for, and leafsight
# (docs/containers.md). What is installed stands in deploy/container/requirements-*.txt, with hashes.
ARG BASE_IMAGE=python:3.11-slim-bookworm

# ---- What builds: Debian's tools, hatchling and the maker of the bill of materials.
FROM ${BASE_IMAGE} AS builder
ENV DEBIAN_FRONTEND=noninteractive PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore \
    PIP_ONLY_BINARY=:all: PIP_NO_COMPILE=1 SOURCE_DATE_EPOCH=0 PYTHONHASHSEED=0
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends binutils tini >/dev/null
COPY deploy/container/requirements-build.txt /build/
RUN python3 -m venv /build/tools && /build/tools/bin/pip install -q --require-hashes -r /build/requirements-build.txt

# ---- What is installed changes less often than leafsight itself: layers of their own, which stay in the cache.
FROM builder AS serve-environment
COPY deploy/container/requirements-serve.txt /build/
RUN python3 -m venv --without-pip /opt/leafsight && \
    /build/tools/bin/pip --python /opt/leafsight/bin/python install -q --require-hashes --no-deps \
    -r /build/requirements-serve.txt

FROM builder AS train-environment
# Which torch, and from where. Its build for processors alone is not on PyPI; the one for graphics cards is, and needs
# gigabytes: --build-arg TORCH=torch-cuda --build-arg TORCH_FROM= (docs/containers.md).
ARG TORCH=torch
ARG TORCH_FROM="--index-url https://download.pytorch.org/whl/cpu"
COPY deploy/container/requirements-train.txt /build/
RUN python3 -m venv --without-pip /opt/leafsight && \
    /build/tools/bin/pip --python /opt/leafsight/bin/python install -q --require-hashes --no-deps \
    -r /build/requirements-train.txt
COPY deploy/container/requirements-${TORCH}.txt /build/
RUN /build/tools/bin/pip --python /opt/leafsight/bin/python install -q --require-hashes --no-deps \
    ${TORCH_FROM} -r /build/requirements-${TORCH}.txt

# ---- leafsight, as a wheel of this source.
FROM builder AS wheel
COPY pyproject.toml README.md LICENSE NOTICE /source/
COPY src /source/src
RUN /build/tools/bin/pip wheel -q --no-deps --no-build-isolation --wheel-dir /wheels /source

# ---- The root of each image, gathered file by file; compiled once and for all, by what is in a file, not by its time.
FROM serve-environment AS serve-root
COPY deploy/container/root_filesystem.py deploy/container/trim_environment.py /build/
RUN python3 /build/trim_environment.py /opt/leafsight && \
    python3 /build/root_filesystem.py --environment /opt/leafsight --out /rootfs && mkdir /build/home && \
    python3 -m compileall -q --invalidation-mode unchecked-hash -s /rootfs -p / /rootfs && \
    python3 -m compileall -q --invalidation-mode unchecked-hash -x py312_intrinsics /opt/leafsight

FROM train-environment AS train-root
COPY deploy/container/root_filesystem.py deploy/container/trim_environment.py /build/
RUN python3 /build/trim_environment.py /opt/leafsight && \
    python3 /build/root_filesystem.py --environment /opt/leafsight --out /rootfs && mkdir /build/home && \
    python3 -m compileall -q --invalidation-mode unchecked-hash -s /rootfs -p / /rootfs && \
    python3 -m compileall -q --invalidation-mode unchecked-hash -x py312_intrinsics /opt/leafsight

FROM serve-root AS serve-application
COPY --from=wheel /wheels /wheels
COPY deploy/container/add_application.py /build/
RUN python3 /build/add_application.py --name leafsight-serve --wheels /wheels --out /application
COPY deploy/container/alive.py /application/opt/leafsight/

FROM train-root AS train-application
COPY --from=wheel /wheels /wheels
COPY deploy/container/add_application.py /build/
RUN python3 /build/add_application.py --name leafsight-train --wheels /wheels --out /application
COPY deploy/container/alive.py /application/opt/leafsight/

# ---- The images.
FROM scratch AS train
COPY --from=train-root /rootfs /
COPY --from=train-root --chown=10001:10001 /build/home /var/lib/leafsight
COPY --from=train-root /opt/leafsight /opt/leafsight
COPY --from=train-application /application /
ENV PATH=/opt/leafsight/bin LANG=C.UTF-8 HOME=/var/lib/leafsight TMPDIR=/tmp \
    PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 ORT_DISABLE_TELEMETRY=1 \
    LEAFSIGHT_STATE_DIR=/var/lib/leafsight LEAFSIGHT_CACHE_DIR=/var/lib/leafsight/cache
WORKDIR /var/lib/leafsight
USER 10001:10001
VOLUME /var/lib/leafsight
STOPSIGNAL SIGTERM
ENTRYPOINT ["/usr/bin/tini-static", "--", "/opt/leafsight/bin/leafsight"]
CMD ["work"]
ARG VERSION=unknown REVISION=unknown CREATED=1970-01-01T00:00:00Z
LABEL org.opencontainers.image.title="leafsight train" \
      org.opencontainers.image.description="Plant-disease recognition from photographs: the worker, which trains." \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.created="${CREATED}" \
      io.leafsight.bill-of-materials="/usr/share/leafsight/sbom.cdx.json"

FROM scratch AS serve
COPY --from=serve-root /rootfs /
COPY --from=serve-root --chown=10001:10001 /build/home /var/lib/leafsight
COPY --from=serve-root /opt/leafsight /opt/leafsight
COPY --from=serve-application /application /
ENV PATH=/opt/leafsight/bin LANG=C.UTF-8 HOME=/var/lib/leafsight TMPDIR=/tmp \
    PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 ORT_DISABLE_TELEMETRY=1 \
    LEAFSIGHT_STATE_DIR=/var/lib/leafsight LEAFSIGHT_CACHE_DIR=/var/lib/leafsight/cache \
    LEAFSIGHT_HOST=0.0.0.0 LEAFSIGHT_PORT=8000
WORKDIR /var/lib/leafsight
USER 10001:10001
VOLUME /var/lib/leafsight
EXPOSE 8000 9000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 \
    CMD ["/opt/leafsight/bin/python", "-I", "-S", "/opt/leafsight/alive.py"]
ENTRYPOINT ["/usr/bin/tini-static", "--", "/opt/leafsight/bin/leafsight"]
CMD ["serve"]
ARG VERSION=unknown REVISION=unknown CREATED=1970-01-01T00:00:00Z
LABEL org.opencontainers.image.title="leafsight serve" \
      org.opencontainers.image.description="Plant-disease recognition from photographs: the service and its web page." \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.created="${CREATED}" \
      io.leafsight.bill-of-materials="/usr/share/leafsight/sbom.cdx.json"
