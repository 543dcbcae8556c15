"""What the examples in README.md may use without saying so, and how hypothesis searches."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

# Speed belongs to bench/, not to tests. At a desk every run searches elsewhere; in CI the same
# commit has the same answer.
settings.register_profile("desk", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "desk")


@pytest.fixture(autouse=True, scope="session")
def _a_cache_of_its_own(tmp_path_factory: pytest.TempPathFactory) -> None:
    os.environ["GATE_CACHE"] = str(tmp_path_factory.mktemp("cache"))


@pytest.fixture(autouse=True)
def _of_the_readme(request: pytest.FixtureRequest, tmp_path: Path) -> None:
    if request.node.name == "README.md":
        namespace = request.getfixturevalue("doctest_namespace")
        namespace |= {"examples": Path(__file__).parent / "examples", "folder": tmp_path}
