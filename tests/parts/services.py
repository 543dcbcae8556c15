"""Service and policy files as a team would write them, against whatever server a test runs."""

from __future__ import annotations

from pathlib import Path

SERVICE = """\
apiVersion: gate/v1
kind: Service
name: shop
sources:
  prom: {{kind: prometheus, url: "{url}", timeout: 1s}}
arms:
  canary: 'version="{{{{canary}}}}"'
  baseline: 'version="{{{{baseline}}}}"'
step: {step}
lag: {lag}
metrics:
  - preset: http
    only: [errors]
    margin: {{ratio: 1.5, absolute: {absolute}}}
  - preset: http
    only: [latency]
    quantiles: [0.5]
    warmup: 0s
    margin: {{ratio: 2.0, absolute: {slower}}}
policy: {policy}
"""

# For rollouts of seconds: the standard policy wants ten minutes.
QUICK = """\
apiVersion: gate/v1
kind: ReleasePolicy
name: quick
rules:
  - {name: safe, when: analysis.safe, then: promote, message: "shown safe"}
  - {name: worse, when: size(analysis.worse) > 0, then: rollback, message: "{analysis.worse}"}
  - {name: unclear, when: "!analysis.safe", then: hold, message: "not shown"}
"""


def service_file(
    folder: Path,
    url: str,
    *,
    step: str = "1m",
    lag: str = "0s",
    absolute: float = 0.0005,
    slower: float = 0.0,
    policy: str = "standard",
) -> Path:
    """A gate.yaml in the folder, and the policy `quick.yaml` beside it."""
    (folder / "quick.yaml").write_text(QUICK)
    file = folder / "gate.yaml"
    file.write_text(
        SERVICE.format(url=url, step=step, lag=lag, absolute=absolute, slower=slower, policy=policy)
    )
    return file
