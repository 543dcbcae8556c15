from __future__ import annotations

import pytest

from tests.interop.programs import Program, built
from tests.interop.seen import World, world

TABLE = pytest.StashKey[list[str]]()


@pytest.fixture(scope="session")
def argo_program(tmp_path_factory) -> Program:
    return built("argo", tmp_path_factory.mktemp("argo"))


@pytest.fixture(scope="session")
def flagger_program(tmp_path_factory) -> Program:
    return built("flagger", tmp_path_factory.mktemp("flagger"))


@pytest.fixture(scope="session")
def act_program(tmp_path_factory) -> Program:
    return built("act", tmp_path_factory.mktemp("act"), "github.com/nektos/act")


@pytest.fixture(scope="session")
def seen(tmp_path_factory) -> World:
    """Versions that a real Prometheus has watched for an hour and a half."""
    with world(tmp_path_factory.mktemp("seen")) as found:
        yield found


@pytest.fixture
def line(request):
    """Adds a line to the table that the run ends with."""
    return request.config.stash.setdefault(TABLE, []).append


def story(request: pytest.FixtureRequest) -> str:
    return request.node.name.removeprefix("test_").replace("_", " ")


def pytest_terminal_summary(terminalreporter, config) -> None:
    if lines := config.stash.get(TABLE, []):
        terminalreporter.section("where the clients arrive")
        for one in sorted(lines):
            terminalreporter.line(one)
