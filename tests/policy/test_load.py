import hashlib

import pytest

from gate.errors import UsageError
from gate.policy.load import from_text, load
from gate.policy.policy import OnUnknown
from gate.policy.words import WORDS
from gate.verdict import Outcome
from tests.parts.rollouts import ROOT

HEAD = "apiVersion: gate/v1\nkind: ReleasePolicy\nname: web\nrules:\n"
SAFE = "  - {name: safe, when: analysis.safe, then: promote, message: shown}\n"


def complaint(rules: str) -> str:
    with pytest.raises(UsageError) as caught:
        from_text(HEAD + rules, "web.yaml")
    return str(caught.value)


def of_condition(condition: str) -> str:
    """The complaint about a rule's condition, which begins at 5:22."""
    said = complaint(f"  - {{name: r, when: '{condition}', then: promote, message: m}}\n")
    return said.removeprefix("web.yaml:5:")


def of_message(message: str) -> str:
    said = complaint(f"  - {{name: r, when: analysis.safe, then: promote, message: '{message}'}}\n")
    return said.removeprefix("web.yaml:5:51: rule 'r': message: ")


def test_a_policy_as_read():
    policy = from_text(HEAD + SAFE + "  - {name: x, when: 'false', then: hold, message: m, "
                       "on_unknown: ignore, docs: 'https://x', owner: sre}\n", "f")  # fmt: skip
    assert policy.name == "web"
    safe, other = policy.rules
    assert (safe.then, safe.on_unknown) == (Outcome.PROMOTE, OnUnknown.HOLD)
    assert (other.on_unknown, other.docs, other.owner) == (OnUnknown.IGNORE, "https://x", "sre")


@pytest.mark.parametrize("ends", [b"\n", b"\r\n"])
def test_the_digest_is_of_the_bytes_of_the_file(tmp_path, ends):
    file = tmp_path / "web.yaml"
    file.write_bytes((HEAD + SAFE).encode().replace(b"\n", ends))
    assert load(file).sha256 == hashlib.sha256(file.read_bytes()).hexdigest()


def test_the_shipped_policies_are_right():
    for file in set((ROOT / "policies").glob("*.yaml")) - set(
        (ROOT / "policies").glob("*_test.yaml")
    ):
        assert load(file).name == file.stem


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        ("budget.remainig > 0.0",
            "22: rule 'r': unknown fact 'budget.remainig'; did you mean 'budget.remaining'?"),
        ("analysis.safe && risk.levl == \"low\"",
            "39: rule 'r': unknown fact 'risk.levl'; did you mean 'risk.level'?"),
        ("xyzzy", f"22: rule 'r': unknown fact 'xyzzy'; known: {', '.join(sorted(WORDS))}"),
        ("budget.remaining > 0", ("39: rule 'r': > cannot compare or combine (double, int); "
            "write whole numbers as 1.0 here")),
        ("service.tier == \"1\"", "35: rule 'r': == cannot compare or combine (int, string)"),
        ("1", "22: rule 'r': a condition must be true or false; this is INT"),
        ("analysis.worse", "22: rule 'r': a condition must be true or false; this is LIST<STRING>"),
    ],
)  # fmt: skip
def test_a_wrong_condition_is_told_with_its_place(condition, said):
    assert of_condition(condition) == said


def test_a_condition_that_is_no_expression():
    assert of_condition("analysis.safe &&").startswith("38: rule 'r': Syntax error: ")


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ("{budget.remainig}",
            "unknown fact 'budget.remainig'; did you mean 'budget.remaining'?"),
        ("{}", "unknown fact ''"),
        ("{", "Single '{' encountered in format string; write {{ for a brace"),
        ("{budget.remaining!r}",
            "budget.remaining takes a format after a colon, not !r"),
        ("{budget.remaining:s}", "'s' is no format for budget.remaining, a double"),
        ("{service.name:d}", "'d' is no format for service.name, a string"),
        ("{change.lines:c}", "'c' is no format for change.lines, a int"),
        ("{analysis.worse:.2f}", "'.2f' is no format for analysis.worse, a list(string)"),
        ("{budget.remaining:{risk.likelihood}}",
            "'{risk.likelihood}' is no format for budget.remaining, a double"),
    ],
)  # fmt: skip
def test_a_message_that_could_not_be_filled_in_is_refused(message, said):
    assert of_message(message) == said


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        (SAFE + SAFE, "6:6: two rules are named 'safe'"),
        ("  - {name: w, when: 'true', then: hold, message: m}\n", ("4:1: no rule says promote, so "
            "this policy could never promote\n"
            "  add one that rests on what was shown, such as `when: analysis.safe`")),
        ("  - {name: w, when: 'true', then: proceed, message: m}\n", ("5:29: rules.0.then: "
            "should be 'promote', 'hold', 'rollback' or 'warn', not 'proceed'")),
        ("  - {name: w, when: true, then: hold, message: m}\n",
            "5:15: rules.0.when: should be a valid string, not true"),
        ("  - {name: w, when: 'true', then: hold}\n", "5:5: rules.0.message is missing"),
        ("  - {name: w, when: 'true', than: hold, message: m}\n", ("5:29: unknown key 'than'; did "
            "you mean 'then'?\n  known here: docs, message, mode, name, on_unknown, owner, reason, "
            "then, unsafe, when")),
        ("  - {name: w, when: 'true', then: hold, message: m, on_unknown: promote}\n", ("5:53: "
            "rules.0.on_unknown: should be 'hold', 'rollback' or 'ignore', not 'promote'")),
        ("  []\n", "4:1: there are no rules\n  write some, or `extends: standard`"),
    ],
)  # fmt: skip
def test_rules(rules, said):
    assert complaint(rules) == f"web.yaml:{said}"


def test_every_wrong_rule_is_told():
    said = complaint(
        "  - {name: a, when: nonesuch, then: promote, message: m}\n"
        "  - {name: b, when: analysis.safe, then: hold, message: '{nonesuch}'}\n"
    )
    assert [line[:13] for line in said.splitlines()] == ["web.yaml:5:21", "web.yaml:6:48"]


BLOCK = """\
  - name: safe
    when: |
      analysis.safe &&
        budget.remainig > 0.0
    then: promote
    message: shown
"""


def test_a_position_in_a_block_text_is_exact():
    assert complaint(BLOCK) == (
        "web.yaml:8:9: rule 'safe': unknown fact 'budget.remainig'; "
        "did you mean 'budget.remaining'?"
    )


def test_a_position_in_folded_text_is_that_of_the_text():
    assert complaint(BLOCK.replace("|", ">")).startswith("web.yaml:6:11: rule 'safe': unknown fact")
