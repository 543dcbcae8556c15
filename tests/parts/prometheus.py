"""Real Prometheus and VictoriaMetrics on loopback ports, with history or live targets.

Where the binaries are missing the test is skipped, with the reason.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import requests

from tests.parts.ports import free_port, wait_for

FEATURES = "native-histograms,exemplar-storage"


@dataclass(frozen=True)
class Target:
    """Something to scrape each second: `host:port` and the labels its series get."""

    address: str
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class History:
    """One series of the past: name, labels, and (Unix seconds, value) in order of time."""

    name: str
    labels: Mapping[str, str]
    points: Sequence[tuple[float, float]]


def binary(name: str) -> str:
    """Where the program is, or the test is skipped."""
    if not (found := shutil.which(name)):
        pytest.skip(f"{name} is not installed (apt-get install prometheus victoria-metrics)")
    return found


@contextmanager
def prometheus(
    *,
    targets: Iterable[Target] = (),
    history: Iterable[History] = (),
    web_config: str = "",
    access: Mapping[str, object] | None = None,
) -> Iterator[str]:
    """The base URL of a Prometheus that scrapes every second and remembers `history`.

    `web_config` is the text of its web.yml (basic auth, TLS); with TLS the URL is https, and
    `access` holds what requests needs to get in (auth, cert, verify). When the URL comes, every
    target has been scraped once (Prometheus takes up to five seconds to begin).
    """
    targets = list(targets)
    program = binary("prometheus")
    with tempfile.TemporaryDirectory(prefix="gate-prometheus-") as folder:
        home, port = Path(folder), free_port()
        _backfill(list(history), home)
        (home / "prometheus.yml").write_text(json.dumps(_scrapes(targets)))
        (home / "web.yml").write_text(web_config)
        command = [
            program,
            f"--config.file={home / 'prometheus.yml'}",
            f"--storage.tsdb.path={home / 'data'}",
            "--storage.tsdb.retention.time=100y",
            f"--web.listen-address=127.0.0.1:{port}",
            f"--web.config.file={home / 'web.yml'}",
            f"--enable-feature={FEATURES}",
        ]
        scheme = "https" if "tls_server_config" in web_config else "http"
        url = f"{scheme}://127.0.0.1:{port}"
        with _running(command, home, f"{url}/-/ready", access or {}):
            if targets:
                _scraped(targets, url)
            yield url


@contextmanager
def victoria_metrics(
    *, targets: Iterable[Target] = (), history: Iterable[History] = ()
) -> Iterator[str]:
    """As `prometheus`: a different server that speaks the same language, nearly."""
    targets = list(targets)
    program = binary("victoria-metrics")
    with tempfile.TemporaryDirectory(prefix="gate-victoria-") as folder:
        home, port = Path(folder), free_port()
        (home / "scrape.yml").write_text(json.dumps(_scrapes(targets)))
        url = f"http://127.0.0.1:{port}"
        command = [
            program,
            f"-storageDataPath={home / 'data'}",
            "-retentionPeriod=100y",
            f"-httpListenAddr=127.0.0.1:{port}",
            f"-promscrape.config={home / 'scrape.yml'}",
            "-promscrape.config.strictParse=false",
            "-search.latencyOffset=1s",
        ]
        with _running(command, home, f"{url}/health", {}):
            _import(list(history), url)
            if targets:
                _scraped(targets, url)
            yield url


@contextmanager
def _running(
    command: list[str], home: Path, ready: str, access: Mapping[str, object]
) -> Iterator[None]:
    with (home / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=home)
        try:
            wait_for(ready, process, **access)
            yield
        finally:
            process.kill()
            process.wait()


def _scrapes(targets: Iterable[Target]) -> dict[str, object]:
    jobs = [{"targets": [one.address], "labels": dict(one.labels)} for one in targets]
    shop = {"job_name": "shop", "scrape_interval": "1s", "scrape_timeout": "1s"}
    return {"scrape_configs": [{**shop, "static_configs": jobs}]}


def _scraped(targets: list[Target], url: str, seconds: float = 20.0) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        answer = requests.get(f"{url}/api/v1/query", {"query": "count(up)"}, timeout=5).json()
        found = answer["data"]["result"]
        if len(targets) <= (int(found[0]["value"][1]) if found else 0):
            return
        time.sleep(0.1)
    raise AssertionError(f"{url} did not scrape {len(targets)} targets within {seconds} s")


def _backfill(history: list[History], home: Path) -> None:
    """Writes the history as blocks, before the server starts."""
    if not history:
        return
    text = "".join(_lines(history, milliseconds=False)) + "# EOF\n"
    (home / "history.om").write_text(text)
    # The hidden flag makes one block a month instead of one for every two hours: 50 times faster.
    blocks = ["tsdb", "create-blocks-from", "--max-block-duration=744h", "-q", "openmetrics"]
    subprocess.run(
        [binary("promtool"), *blocks, str(home / "history.om"), str(home / "data")],
        check=True,
        capture_output=True,
        timeout=60,
    )


def _import(history: list[History], url: str) -> None:
    if not history:
        return
    text = "".join(_lines(history, milliseconds=True))
    imported = requests.post(f"{url}/api/v1/import/prometheus", data=text.encode(), timeout=20)
    imported.raise_for_status()
    requests.get(f"{url}/internal/force_flush", timeout=20).raise_for_status()


def _lines(history: list[History], *, milliseconds: bool) -> Iterator[str]:
    for series in sorted(history, key=lambda one: one.name):
        labels = ",".join(f'{name}="{value}"' for name, value in series.labels.items())
        for moment, value in series.points:
            at = str(round(moment * 1000)) if milliseconds else f"{moment:.3f}"
            yield f"{series.name}{{{labels}}} {value} {at}\n"
