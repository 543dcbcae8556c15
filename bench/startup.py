"""Start-up of the command line, as a ratio to an empty Python: `python -m bench.startup`.

Ratios, because seconds are the machine's. Medians over alternating runs, so that a slow moment of
the machine falls on all commands alike.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

RUNS = 15
EXAMPLE = Path(__file__).parent.parent / "examples" / "recorded" / "gate.yaml"
GATE = [sys.executable, "-m", "gate"]
CHECK = [
    *GATE, "check", "-f", str(EXAMPLE), "--canary", "v1.9.0", "--baseline", "v1.8.0",
    "--since", "1h", "--as-of", "2026-11-02T11:00:00Z",
]  # fmt: skip
COMMANDS = {
    "python -c pass": [sys.executable, "-c", "pass"],
    "python -c 'import numpy'": [sys.executable, "-c", "import numpy"],
    "gate --help": [*GATE, "--help"],
    "gate check, recording, text": CHECK,
    "gate check, recording, json": [*CHECK, "--format", "json"],
}
HEAVY = (
    "scipy.stats", "scipy.special", "sqlalchemy", "requests", "cattrs", "flask", "github3",
    "icalendar", "recurring_ical_events", "cronsim", "pathspec", "codeowners",
    "gate.objectives.openslo",
)  # fmt: skip


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        environ = {**os.environ, "GATE_LEDGER": f"{folder}/ledger.db"}
        seconds: dict[str, list[float]] = {name: [] for name in COMMANDS}
        for _ in range(RUNS):
            for name, command in COMMANDS.items():
                start = time.perf_counter()
                subprocess.run(command, env=environ, check=True, capture_output=True)
                seconds[name].append(time.perf_counter() - start)
        medians = {name: statistics.median(times) for name, times in seconds.items()}
        empty = medians["python -c pass"]
        for name, median in medians.items():
            print(f"{name:32} {1000 * median:7.1f} ms {median / empty:6.1f} x")
        print("heavy modules imported by check:", ", ".join(_imported(environ)) or "none")


def _imported(environ: dict[str, str]) -> list[str]:
    told = subprocess.run(
        [sys.executable, "-X", "importtime", *CHECK[1:]], env=environ, check=True,
        capture_output=True, text=True,
    ).stderr  # fmt: skip
    modules = {line.rpartition("|")[2].strip() for line in told.splitlines()}
    return [name for name in HEAVY if name in modules]


if __name__ == "__main__":
    main()
