"""Known vulnerabilities among the exact versions of constraints.txt, as pip-audit tells them.

Exits 1 where there are any. Where the advisories cannot be reached, or know none of the packages
(a mirror without them), it says that nothing was audited and exits 0: no build depends on them.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
WITHIN = 120  # seconds


def main() -> int:
    """Audits, tells, and returns the exit code."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        command = [
            str(Path(sys.executable).with_name("pip-audit")), "--disable-pip", "--no-deps",
            "--progress-spinner", "off", "--format", "json", "--output", str(report),
            "--requirement", str(ROOT / "constraints.txt"),
        ]  # fmt: skip
        try:
            subprocess.run(command, timeout=WITHIN, check=False, capture_output=True)
            found = json.loads(report.read_bytes())["dependencies"]
        except (OSError, subprocess.TimeoutExpired, ValueError, KeyError):
            print("audit: skipped, nothing was audited: the advisories cannot be reached")
            return 0
    return told(found)


def told(found: list[dict[str, Any]]) -> int:
    """Says what was found; the exit code."""
    audited = [one for one in found if "skip_reason" not in one]
    if not audited:
        print("audit: skipped, nothing was audited: the advisories know none of the packages")
        return 0
    faults = [(one, fault) for one in audited for fault in one["vulns"]]
    for one, fault in faults:
        fixed = ", ".join(fault["fix_versions"]) or "no version yet"
        print(f"audit: {one['name']} {one['version']}: {fault['id']}, fixed in {fixed}")
    print(f"audit: {len(audited)} of {len(found)} packages audited, {len(faults)} vulnerabilities")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
