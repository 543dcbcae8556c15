from pathlib import Path

import pytest

from gate.errors import UsageError
from gate.settings import settings


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """A home folder without any settings."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    return tmp_path


def a_file(folder: Path, text: str) -> str:
    path = folder / "settings.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return str(path)


def test_without_any_the_ledger_is_in_the_user_s_state_folder(home):
    found = settings({})
    assert found.ledger == home / ".local" / "state" / "gate" / "ledger.db"
    assert found.timeout == 20.0


def test_the_file_then_the_environment_then_the_flags(tmp_path):
    file = a_file(tmp_path, "ledger: /of/file.db\ntimeout: 10s\n")
    environ = {"GATE_SETTINGS": file}
    assert settings(environ).ledger == Path("/of/file.db")
    assert settings(environ).timeout == 10.0

    environ |= {"GATE_LEDGER": "/of/environment.db"}
    assert settings(environ).ledger == Path("/of/environment.db")
    assert settings(environ).timeout == 10.0  # what one does not say, the one before has said

    found = settings(environ | {"GATE_TIMEOUT": "5s"}, ledger="/of/flag.db", timeout=None)
    assert (found.ledger, found.timeout) == (Path("/of/flag.db"), 5.0)


def test_the_file_in_the_user_s_configuration_folder(home):
    a_file(home / ".config" / "gate", "timeout: 1m\n")
    assert settings({}).timeout == 60.0


def test_an_empty_file_says_nothing(tmp_path):
    assert settings({"GATE_SETTINGS": a_file(tmp_path, "# none yet\n")}).timeout == 20.0


def test_an_empty_variable_says_nothing():
    assert settings({"GATE_TIMEOUT": "", "GATE_LEDGER": ""}).timeout == 20.0


def test_a_path_from_home(home):
    assert settings({"GATE_LEDGER": "~/gate.db"}).ledger == home / "gate.db"
    assert settings({"GATE_CACHE": "~/kept"}).cache == home / "kept"


def test_an_unknown_variable_is_refused_by_name():
    with pytest.raises(UsageError) as caught:
        settings({"GATE_LEGDER": "x", "PATH": "/bin"})
    assert str(caught.value) == (
        "unknown environment variable GATE_LEGDER; did you mean 'GATE_LEDGER'?\n"
        "  known: GATE_CACHE, GATE_INSECURE, GATE_LEDGER, GATE_POLICIES, GATE_SERVICES, "
        "GATE_SETTINGS, GATE_TIMEOUT, GATE_TOKENS, GATE_URL"
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("20", ("GATE_TIMEOUT: '20' is not a duration\n"
            "  write a number and a unit: 30s, 20m, 1h30m, 30d")),
        ("0s", "GATE_TIMEOUT: must be longer than nothing\n  write 20s"),
    ],
)  # fmt: skip
def test_a_wrong_variable_is_named(text, said):
    with pytest.raises(UsageError) as caught:
        settings({"GATE_TIMEOUT": text})
    assert str(caught.value) == said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("legder: x\n", (":1:1: unknown key 'legder'; did you mean 'ledger'?\n"
            "  known here: cache, ledger, timeout")),
        ("ledger: ''\n", ":1:1: ledger: must not be empty"),
        ("ledger: x\ntimeout: 20\n", (":2:1: timeout: '20' is not a duration; "
            "write a number and a unit: 30s, 20m, 1h30m, 30d")),
        ("timeout: 0s\n", ":1:1: timeout: should be greater than 0, not '0s'"),
    ],
)  # fmt: skip
def test_a_wrong_file_is_told_with_its_place(tmp_path, text, said):
    file = a_file(tmp_path, text)
    with pytest.raises(UsageError) as caught:
        settings({"GATE_SETTINGS": file})
    assert str(caught.value) == file + said


def test_a_file_that_was_named_must_be_there(tmp_path):
    with pytest.raises(UsageError, match="no such file"):
        settings({"GATE_SETTINGS": str(tmp_path / "none.yaml")})


def test_what_kubernetes_puts_into_a_pod_is_not_taken_for_ours():
    """As it does beside a Service called gate, and one called gate-canary."""
    injected = {
        "GATE_SERVICE_HOST": "10.0.0.11", "GATE_SERVICE_PORT": "8080",
        "GATE_SERVICE_PORT_HTTP": "8080", "GATE_PORT": "tcp://10.0.0.11:8080",
        "GATE_PORT_8080_TCP": "tcp://10.0.0.11:8080", "GATE_PORT_8080_TCP_PROTO": "tcp",
        "GATE_PORT_8080_TCP_PORT": "8080", "GATE_PORT_8080_TCP_ADDR": "10.0.0.11",
        "GATE_CANARY_SERVICE_HOST": "10.0.0.12", "GATE_CANARY_PORT_80_TCP": "tcp://10.0.0.12:80",
    }  # fmt: skip
    assert settings(injected) == settings({})
