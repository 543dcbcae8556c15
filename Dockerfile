# Debian slim, because cel-expr-python has no wheel for Alpine.
FROM python:3.11-slim AS build
WORKDIR /src
COPY . .
RUN pip wheel --quiet --no-deps --wheel-dir /wheels .

FROM python:3.11-slim
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
EXPOSE 8080
# A server on a read-only root file system:
#   docker run --read-only --entrypoint gunicorn IMAGE --worker-tmp-dir /dev/shm --threads 32 \
#     --bind 0.0.0.0:8080 'gate.surfaces.http.wsgi:app()'
ENTRYPOINT ["gate"]
CMD ["--help"]
