"""Flagger's own client calls the hooks of a running gate: a fault is never a yes.

Release 1.36.1, the newest that Go's module proxy has.
"""

from __future__ import annotations

import json
import signal

import pytest

from tests.http.test_serve import Started
from tests.interop.conftest import story
from tests.interop.seen import TOKEN, serving
from tests.parts.broken import BROKEN
from tests.parts.loopback import Loopback, Quiet
from tests.parts.loopback import serving as listening
from tests.parts.ports import free_port
from tests.parts.versions import BAD, BASELINE, GOOD, NAN, NEW, NONE

pytestmark = [pytest.mark.slow, pytest.mark.interop]

START = {"confirm-rollout"}
CHECKS = {"pre-rollout", "rollout"}
STEPS = {"confirm-traffic-increase", "confirm-promotion"}
BACK = {"rollback"}


@pytest.fixture(scope="module")
def sent(flagger_program):
    """The bodies it sends to a server that says yes to all."""
    heard = []

    class Yes(Quiet):
        def reply(self, form: str) -> None:
            heard.append((self.path, json.loads(form)))
            self.send(200, "application/json", b"{}")

    with listening(server := Loopback(Yes)):
        told = flagger_program.told("-address", server.url, "-canary", GOOD, "-timeout", "5s")
    assert all(one["yes"] for one in told)
    return heard


@pytest.fixture(scope="module")
def server(sent, seen, tmp_path_factory) -> Started:
    """One that has seen the releases of this checksum for an hour."""
    checksum = sent[0][1]["checksum"]
    with serving(tmp_path_factory.mktemp("flagger"), seen.prometheus, checksum=checksum) as found:
        yield found


@pytest.fixture
def said_yes(flagger_program, line, request):
    """The hooks that Flagger takes for a yes, noted in the table."""

    def ask(url: str, canary: str = GOOD, token: str = TOKEN, timeout: str = "10s") -> set[str]:
        words = {"address": url, "canary": canary, "baseline": BASELINE, "token": token}
        words["timeout"] = timeout
        options = [word for name, value in words.items() for word in (f"-{name}", value)]
        told = flagger_program.told(*options)
        yes = {one["hook"] for one in told if one["yes"]}
        line(f"Flagger  {story(request):75}yes: {', '.join(sorted(yes)) or 'none'}")
        return yes

    return ask


def test_it_sends_what_we_read(sent):
    assert {path for path, _ in sent} == {
        f"/v1/flagger/{one}" for one in START | CHECKS | STEPS | BACK
    }
    for _, body in sent:
        assert set(body) == {"name", "namespace", "phase", "checksum", "metadata"}
        assert (body["name"], body["phase"]) == ("shop", "Progressing")


def test_a_good_version_goes_on_and_is_not_rolled_back(said_yes, server):
    assert said_yes(server.url) == START | CHECKS | STEPS


def test_a_bad_version_is_stopped_and_rolled_back(said_yes, server):
    yes = said_yes(server.url, BAD)
    assert yes - START == BACK


@pytest.mark.parametrize("canary", [NEW, NAN, NONE], ids=["just begun", "NaN", "no data"])
def test_a_version_of_which_too_little_is_seen_waits(said_yes, server, canary):
    assert said_yes(server.url, canary) - START == CHECKS


@pytest.mark.parametrize("token", ["", "gate_wrong"])
def test_without_its_token_nothing_is_a_yes(said_yes, server, token):
    assert said_yes(server.url, token=token) == set()


def test_a_gate_that_is_down_says_yes_to_nothing(said_yes):
    assert said_yes(f"http://127.0.0.1:{free_port()}") == set()


def test_a_gate_that_answers_nothing_says_yes_to_nothing(said_yes, seen, tmp_path):
    with serving(tmp_path, seen.prometheus) as frozen:
        frozen.process.send_signal(signal.SIGSTOP)
        assert said_yes(frozen.url, timeout="1s") == set()
        frozen.process.send_signal(signal.SIGCONT)


@pytest.mark.parametrize("name", ["down", "html", "503"])
def test_a_broken_prometheus_lets_no_step_and_no_rollback(said_yes, sent, tmp_path, name):
    checksum = sent[0][1]["checksum"]
    with BROKEN[name].serve() as url, serving(tmp_path, url, checksum=checksum) as blind:
        assert said_yes(blind.url) - START == CHECKS
