# Debian slim, because cel-expr-python has no wheel for Alpine.
#   docker build -t gate .                    the command
#   docker build -t gate --target server .    the server, also on a read-only root file system
FROM python:3.11-slim AS build
WORKDIR /src
COPY . .
RUN pip install --quiet --no-cache-dir -c constraints.txt hatchling \
    && pip wheel --quiet --no-cache-dir --no-build-isolation --no-deps --wheel-dir /wheels .

FROM python:3.11-slim AS installed
RUN apt-get update -qq \
    && apt-get install -y -qq --no-install-recommends git \
    && rm -rf /var/lib/apt/lists/*
COPY constraints.txt /tmp/constraints.txt
COPY --from=build /wheels /wheels
RUN pip install --quiet --no-cache-dir -c /tmp/constraints.txt "$(echo /wheels/*.whl)[server]" \
    && rm -rf /wheels /tmp/constraints.txt \
    && useradd --uid 10001 --create-home gate \
    && install -d -o gate -g gate /var/lib/gate
USER gate
ENV GATE_LEDGER=/var/lib/gate/ledger.db
VOLUME /var/lib/gate

FROM installed AS server
EXPOSE 8080
HEALTHCHECK CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8080/healthz', timeout=2)"]
ENTRYPOINT ["gunicorn", "-c", "python:gate.surfaces.http.gunicorn"]

FROM installed
ENTRYPOINT ["gate"]
CMD ["--help"]
