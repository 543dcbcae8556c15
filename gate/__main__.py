"""`python -m gate` and the command `gate`."""

from __future__ import annotations

import sys

from gate.surfaces.cli.main import run


def main() -> None:
    """Run the command line and exit with its code."""
    sys.exit(run())


if __name__ == "__main__":
    main()
