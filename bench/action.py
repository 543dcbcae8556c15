"""The GitHub Action, from the start of its step to the end of it: `python -m bench.action`.

Run as GitHub's runner does, by `tests.parts.workflow`. Cold: neither the gate nor a package is
there, and an index of packages must be in reach. Cached: a later step of the same job.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from tests.action.judging import ACTION, BAD, GOOD, LOCAL, RECORDED, with_metrics
from tests.http.test_serve import started
from tests.parts.broken import answering
from tests.parts.hubwriting import Board
from tests.parts.workflow import Step, run

RUNS, MANY = 9, 50
WRITES = {"status": "true", "comment": "always", "pull-request": "7", "github-token": "ghs_x"}
# How this machine reaches its index.
INDEX = {
    name: os.environ[name]
    for name in ("PIP_INDEX_URL", "PIP_CONFIG_FILE", "PIP_CERT", "HTTPS_PROXY", "https_proxy",
                 "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")
    if name in os.environ
}  # fmt: skip
PYTHON = Path(getattr(sys, "_base_executable", sys.executable))


def main() -> None:
    board = Board()
    with tempfile.TemporaryDirectory() as name, answering(board) as hub:
        folder = Path(name)
        environ = {**INDEX, "GITHUB_SHA": "a" * 40, "GITHUB_API_URL": hub.url}
        with started(folder, RECORDED) as gate:
            asked = {"server-url": gate.url, "service": "checkout", "baseline": "v1.8.0", **GOOD}
            _told("server", [_step(folder, asked, environ) for _ in range(RUNS)])
            _told("in the job, cold", [_step(folder, {**LOCAL, **GOOD}, environ)])
            again = [_step(folder, {**LOCAL, **GOOD}, environ) for _ in range(RUNS)]
            _told("in the job, cached", again)
            written = [_step(folder, {**asked, **WRITES}, environ) for _ in range(RUNS)]
            _told("server, status and comment", written)
        large = {**LOCAL, **BAD, **WRITES, "service-file": str(with_metrics(folder, MANY))}
        done = _step(folder, {**large, "timeout": "60s"}, environ)
        report = Path(done.outputs["report"]).stat().st_size
    _told(f"in the job, {MANY} metrics", [done])
    comment = board.written[-1][1]["body"]
    print(f"{MANY} metrics, {done.summary.count('latency of route')} lines name one: "
          f"summary {len(done.summary.encode()):,} bytes, comment {len(comment.encode()):,}, "
          f"JSON {report:,}")  # fmt: skip


def _step(folder: Path, given: Mapping[str, str], environ: Mapping[str, str]) -> Step:
    done = run(ACTION, folder, given, python=PYTHON, environ=environ)
    assert done.outputs["outcome"] in ("promote", "rollback"), done.log
    return done


def _told(what: str, steps: list[Step]) -> None:
    seconds = [one.seconds for one in steps]
    print(f"{what:28} {statistics.median(seconds):6.2f} s (least {min(seconds):.2f}, "
          f"most {max(seconds):.2f}, {len(steps)} runs)")  # fmt: skip


if __name__ == "__main__":
    main()
