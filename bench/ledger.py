"""How fast one process stores decisions, one after the other, and how fast it checks them.

Run as `python -m bench.ledger [folder]`; it takes about three seconds. An append waits for the
disk, so give a folder on the disk that is meant: the default is where temporary files go.
"""

import sys
import tempfile
import time
from pathlib import Path

from gate.ledger.ledger import Record
from gate.ledger.sqlite import SqliteLedger

SECONDS = 2.0  # of appending
BODY = b'{"verdict": "promote"}' * 1_000  # 22 kB: a decision with its evidence


def appends(ledger: SqliteLedger) -> float:
    """Entries stored each second, durably, one after the other."""
    count, start = 0, time.perf_counter()
    while time.perf_counter() - start < SECONDS:
        ledger.append(Record(f"d-{count}", "web", "promote", time.time(), BODY))
        count += 1
    return count / (time.perf_counter() - start)


def checks(ledger: SqliteLedger) -> float:
    """Entries verified each second."""
    start = time.perf_counter()
    found = ledger.verify()
    if found.faults:
        raise SystemExit("\n".join(found.faults))
    return found.entries / (time.perf_counter() - start)


def main() -> None:
    with tempfile.TemporaryDirectory(dir=next(iter(sys.argv[1:]), None)) as folder:
        ledger = SqliteLedger(Path(folder) / "ledger.db")
        print(
            f"append: {appends(ledger):8.0f} entries/s (1 process, {len(BODY) / 1000:.0f} kB each)"
        )
        print(f"verify: {checks(ledger):8.0f} entries/s")


if __name__ == "__main__":
    main()
