"""What the examples in README.md may use without saying where it comes from."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def _of_the_readme(request: pytest.FixtureRequest, tmp_path: Path) -> None:
    if request.node.name == "README.md":
        namespace = request.getfixturevalue("doctest_namespace")
        namespace |= {"examples": Path(__file__).parent / "examples", "folder": tmp_path}
