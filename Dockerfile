# One image for every process: the command decides. Nothing is installed into site-packages; the program runs from its folder,
# as it does on a laptop.
#
#   docker build -t customer-service .
#   docker run --rm customer-service --help

FROM python:3.11-slim-bookworm AS environment
WORKDIR /service
ENV UV_PYTHON_DOWNLOADS=never UV_LINK_MODE=copy UV_COMPILE_BYTECODE=1
RUN pip install --no-cache-dir --root-user-action=ignore uv
# Only what decides the environment, so that a change of code does not rebuild it.
COPY pyproject.toml uv.lock ./
RUN uv sync --frozen --no-default-groups --python "$(command -v python3)"

FROM python:3.11-slim-bookworm
# A fixed number, so that volumes and Kubernetes' runAsUser can name it.
RUN groupadd --gid 10001 service && useradd --uid 10001 --gid service --no-create-home --shell /usr/sbin/nologin service
WORKDIR /service
COPY --from=environment /service/.venv .venv
COPY . .
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
# 8084 is the API, 9090 the metrics; see config.yaml.
EXPOSE 8084 9090
USER service
# Looks at the process only, never at what it depends on: restarting an API does not mend a database. True of `serve`; the
# other processes have no HTTP port of that kind and switch it off (docker-compose.yml).
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
    CMD [".venv/bin/python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8084/healthz', timeout=2)"]
ENTRYPOINT ["/service/customer-service"]
CMD ["serve"]
