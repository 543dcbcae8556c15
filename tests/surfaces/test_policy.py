"""`gate policy`: lint, show, facts, schema and input, as a person or a workflow calls them."""

import json

import jsonschema_rs
import pytest
import yaml

from gate.policy.load import from_text, load
from gate.policy.words import WORDS, Type
from gate.sources.github.github import LABEL_TYPES
from gate.sources.touched import TYPES, UNTYPED
from gate.surfaces.cli.main import run
from tests.parts.rollouts import RECORDED, ROOT

HEAD = "apiVersion: gate/v1\nkind: ReleasePolicy\nname: web\n"
SAFE = "  - {name: safe, when: analysis.safe, then: promote, message: shown}\n"
WARNED = "  - {name: any, when: 'true', then: warn, message: m}\n"
PACKS = sorted(one for one in (ROOT / "policies").glob("*.yaml") if "_test" not in one.stem)


def policy(tmp_path, *rules, head=HEAD):
    path = tmp_path / "web.yaml"
    path.write_text(f"{head}rules:\n{''.join(rules)}")
    return str(path)


@pytest.mark.parametrize(
    ("rules", "flags", "code"),
    [
        ([SAFE], [], 0),
        ([SAFE, WARNED], [], 0),
        ([SAFE, WARNED], ["--strict"], 2),
        ([SAFE.replace("safe,", "sfe,", 1).replace("analysis.safe", "'false'")], [], 2),
        ([SAFE, SAFE], [], 2),
    ],
)
def test_lint_exits_2_with_errors(tmp_path, capfd, rules, flags, code):
    assert run(["policy", "lint", policy(tmp_path, *rules), *flags]) == code
    told = capfd.readouterr()
    assert bool(told.out) is (len(rules) > 1 or code == 2)
    assert told.err.startswith("1 checked: ")


@pytest.mark.parametrize("form", ["text", "json", "sarif", "github"])
def test_lint_tells_of_every_file_at_once(tmp_path, capfd, form):
    broken = policy(tmp_path, SAFE.replace("then", "than"))
    assert run(["policy", "lint", "standard", broken, "tier-0", "--format", form]) == 2
    told = capfd.readouterr()
    assert "unknown key 'than'" in told.out
    assert told.err == "3 checked: 1 errors, 0 warnings\n"
    if form in ("json", "sarif"):
        json.loads(told.out)


def test_lint_leaves_tests_out_and_refuses_what_is_not_there(tmp_path, capfd):
    every = [str(one) for one in (ROOT / "policies").glob("*.yaml")]
    assert run(["policy", "lint", *every]) == 0
    assert capfd.readouterr().err == f"{len(PACKS)} checked: 0 errors, 0 warnings\n"
    assert run(["policy", "lint", str(tmp_path / "none.yaml")]) == 2
    assert "no such file" in capfd.readouterr().err
    assert run(["policy", "lint", "tier0"]) == 2
    assert "did you mean 'tier-0'?" in capfd.readouterr().err


@pytest.mark.parametrize("pack", PACKS, ids=lambda one: one.stem)
def test_show_prints_a_policy_that_says_the_same(capfd, pack):
    assert run(["policy", "show", pack.stem]) == 0
    shown = capfd.readouterr().out
    again, policy = from_text(shown, "shown.yaml"), load(pack)
    assert (again.rules, again.mode) == (policy.rules, policy.mode)
    assert again.deadline == policy.longest_wait
    assert shown.startswith(f"# {policy.name}@sha256:{policy.sha256}\n")


def test_show_tells_what_was_extended_and_disabled(tmp_path, capfd):
    path = policy(
        tmp_path, SAFE, head=f"{HEAD}extends: standard\ndisable: {{watching: 'we\n\n  look'}}\n"
    )
    assert run(["policy", "show", path]) == 0
    shown = capfd.readouterr().out
    assert "# extends standard@sha256:" in shown
    assert "# disabled: watching: we look\n" in shown
    assert run(["policy", "show", path, "--format", "json"]) == 0
    told = json.loads(capfd.readouterr().out)
    assert (told["schema"], list(told["disabled"])) == ("gate.policy/v1", ["watching"])
    assert told["deadline"] == 5400.0


def test_show_tells_the_usual_deadline_where_no_file_says_one(tmp_path, capfd):
    assert run(["policy", "show", policy(tmp_path, SAFE)]) == 0
    assert "\ndeadline: 30m\n" in capfd.readouterr().out


def test_the_facts_in_three_forms(capfd):
    said = {}
    for form in ("text", "json", "markdown"):
        assert run(["policy", "facts", "--format", form]) == 0
        said[form] = capfd.readouterr().out
    assert [one["name"] for one in json.loads(said["json"])["facts"]] == list(WORDS)
    for word in WORDS:
        assert f"{word}  {WORDS[word].type}\n" in said["text"]
        assert f"| `{word}` | " in said["markdown"]


@pytest.mark.parametrize(
    ("page", "command"),
    [
        ("docs/facts.md", ["policy", "facts", "--format", "markdown"]),
        ("schemas/policy.schema.json", ["policy", "schema"]),
    ],
)
def test_what_is_generated_is_what_is_checked_in(capfd, page, command):
    assert run(command) == 0
    assert (ROOT / page).read_text() == capfd.readouterr().out, "run: make pages"


def test_the_schema_is_that_of_gate_schema_and_accepts_the_packs(capfd):
    assert run(["policy", "schema"]) == 0
    told = capfd.readouterr().out
    assert run(["schema", "policy"]) == 0
    assert capfd.readouterr().out == told
    schema = jsonschema_rs.validator_for(json.loads(told))
    for pack in PACKS:
        assert schema.is_valid(yaml.safe_load(pack.read_text())), pack
    assert not schema.is_valid({"apiVersion": "gate/v1", "kind": "ReleasePolicy", "nam": "x"})


PYTHON = {Type.BOOL: bool, Type.INT: int, Type.DOUBLE: float, Type.STRING: str,
          Type.STRINGS: tuple, Type.LABELS: dict}  # fmt: skip


@pytest.mark.parametrize("word", WORDS)
def test_every_word_is_described_and_its_example_is_one(word):
    what = WORDS[word]
    assert what.meaning
    assert what.source
    assert type(what.example) is PYTHON[what.type]
    if what.type in (Type.INT, Type.DOUBLE):
        assert what.least <= what.example <= what.most
    if what.known:
        given = {what.example} if isinstance(what.example, str) else set(what.example)
        assert given <= set(what.known)


def test_the_known_words_are_those_that_sources_give():
    by_label = set(LABEL_TYPES)
    assert set(WORDS["change.types"].known) == TYPES | by_label | {"breaking", UNTYPED}
    assert not WORDS["change.touches"].known  # a service file may name its own


def test_the_input_of_a_decision(tmp_path, capfd):
    ledger = ["--ledger", str(tmp_path / "ledger.db")]
    run(["check", "-f", str(RECORDED), "--canary", "v1.9.1", "--baseline", "v1.8.0", "--since",
         "1h", "--as-of", "2026-11-03T11:00:00Z", "--format", "json", *ledger])  # fmt: skip
    decision = json.loads(capfd.readouterr().out)
    assert run(["policy", "input", decision["id"], *ledger]) == 0
    out = capfd.readouterr().out
    told = json.loads(out)
    assert told["schema"] == "gate.policy_input/v1"
    assert told["verdict"]["outcome"] == "rollback"
    assert told["facts"]["analysis"]["safe"] is False
    assert told["service"]["name"] == told["request"]["service"] == "checkout"
    flat = {f"{one}.{name}": value for one, rest in told["facts"].items()
            for name, value in rest.items()}  # fmt: skip
    assert flat == decision["facts"]
    assert run(["ledger", "show", decision["id"], "--format", "stored", *ledger]) == 0
    (tmp_path / "stored.json").write_text(capfd.readouterr().out)
    assert run(["policy", "input", "--stored", str(tmp_path / "stored.json")]) == 0
    assert capfd.readouterr().out == out


def test_the_input_of_one_decision_only(capfd, tmp_path):
    assert run(["policy", "input"]) == 2
    assert run(["policy", "input", "abc", "--stored", "x.json"]) == 2
    assert capfd.readouterr().err.count("name one decision") == 2
    (tmp_path / "x.json").write_text("{}")
    assert run(["policy", "input", "--stored", str(tmp_path / "x.json")]) == 2
    assert "gate ledger show ID --format stored" in capfd.readouterr().err
