"""The folders that come with the gate: policies and examples."""

from __future__ import annotations

from pathlib import Path


def shipped(name: str) -> Path:
    """A folder that comes with the gate (`policies`, `examples`): in the wheel, or the checkout."""
    package = Path(__file__).parent
    installed = package / "shipped" / name
    return installed if installed.is_dir() else package.parent / name
