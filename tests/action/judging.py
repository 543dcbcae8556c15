"""The action in local mode without a network: its venv is made beforehand from this interpreter."""

from __future__ import annotations

import importlib
import sys
import sysconfig
import venv
from pathlib import Path

ROOT = Path(__file__).parents[2]
ACTION = ROOT / "action.yml"
RECORDED = ROOT / "examples" / "recorded" / "gate.yaml"

# The recorded releases, an hour after each began.
GOOD = {"canary": "v1.9.0", "since": "2026-11-02T10:00:00Z", "as-of": "2026-11-02T11:00:00Z"}
BAD = {"canary": "v1.9.1", "since": "2026-11-03T10:00:00Z", "as-of": "2026-11-03T11:00:00Z"}
YOUNG = {"canary": "v1.9.2", "since": "2026-11-04T10:00:00Z", "as-of": "2026-11-04T10:08:00Z"}
LOCAL = {"service-file": str(RECORDED), "baseline": "v1.8.0"}


def part(name: str):
    """A module of the action, which is no package."""
    folder = str(ROOT / "action")
    if folder not in sys.path:
        sys.path.insert(0, folder)
    return importlib.import_module(name)


def installed(folder: Path) -> None:
    """What the action's install leaves in the runner's temporary folder, made of what is here."""
    made = part("installed").venv_of(folder / "temp" / "release-gate", ROOT)
    venv.create(made, symlinks=True, with_pip=False)
    site = made / "lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}" / "site-packages"
    (site / "release_gate.pth").write_text(f"{ROOT}\n{sysconfig.get_path('purelib')}\n")
    (made / "ready").touch()


def with_metrics(folder: Path, many: int) -> Path:
    """A service file with so many metrics of four quantiles each, over the recorded releases."""
    head, rest = RECORDED.read_text().split("metrics:\n")
    _, after = rest.split("\nslos:")
    latency = "".join(
        f"  - {{name: latency of route {number}, kind: histogram, unit: s,\n"
        "     quantiles: [0.5, 0.9, 0.95, 0.99],\n"
        "     buckets: 'http_request_duration_seconds_bucket{ {{selector}} }'}\n"
        for number in range(many)
    )
    head = head.replace("recording.json", f"{RECORDED.parent}/recording.json")
    file = folder / "gate.yaml"
    file.write_text(f"{head}metrics:\n{latency}\nslos:{after}")
    return file
