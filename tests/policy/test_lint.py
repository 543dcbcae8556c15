"""What lint finds in a policy file, and where."""

import json

import pytest

from gate.finding import Level, finding
from gate.policy.lint import CHECKS, POLICY, lint
from gate.surfaces.report.findings import as_github, as_json, as_sarif, as_text

HEAD = "apiVersion: gate/v1\nkind: ReleasePolicy\nname: web\nrules:\n"
SAFE = "{name: safe, when: analysis.safe, then: promote, message: shown}"


@pytest.fixture
def found(tmp_path):
    """The findings about a policy of these rules, `line:column: level: message [check]` each."""

    def of(*rules, strict=False, text=None):
        path = tmp_path / "web.yaml"
        path.write_text(text or HEAD + "".join(f"  - {rule}\n" for rule in rules))
        told = as_text(lint(path, strict=strict))
        return [line.replace(f"{path}:", "") for line in told.splitlines()]

    return of


def test_nothing_is_found_in_a_good_policy(found):
    assert found(SAFE) == []


@pytest.mark.parametrize(
    "when",
    [
        "false",
        "rollout.minutes > 5.0 && rollout.minutes < 3.0",
        "service.tier > 2",
        "budget.remaining > 1.5",
        "risk.level == 'low' && risk.level == 'high'",
        "size(analysis.worse) < 0",
    ],
)
def test_a_rule_that_can_never_hold(found, when):
    rule = f'{{name: never, when: "{when}", then: hold, message: m}}'
    assert found(SAFE, rule) == ["6:26: error: rule 'never' can never hold [never-holds]"]


def test_a_rule_of_which_one_cannot_be_sure_is_only_suspicious(found):
    rule = "{name: odd, when: change.lines * 0 > 1, then: hold, message: m}"
    assert found(SAFE, rule) == [
        "6:23: warning: rule 'odd' held in none of the states that were tried [never-holds]"
    ]


def test_a_rule_that_always_holds(found):
    rule = "{name: any, when: rollout.minutes >= 0.0, then: warn, message: m}"
    assert found(SAFE, rule) == ["6:23: warning: rule 'any' holds whatever is known [always-holds]"]


@pytest.mark.parametrize(
    ("when", "state"),
    [
        ("rollout.minutes > 30.0", "rollout.minutes = 31.0"),
        ("size(analysis.worse) == 0", "analysis.worse = []"),
        ("analysis.safe || change.flagged", "analysis.safe = false, change.flagged = true"),
        ("!analysis.safe", "analysis.safe = false"),
        ("size(analysis.unclear) == 0", "analysis.unclear = []"),
        ("analysis.evidence_worse < 1.0", "analysis.evidence_worse = -99.0"),
    ],
)
def test_a_promote_must_rest_on_what_was_shown(found, when, state):
    rule = f'{{name: go, when: "{when}", then: promote, message: m}}'
    assert found(rule)[-2:] == [
        f"5:23: error: rule 'go' promotes though nothing was shown, as with {state} [not-shown]",
        "  add `analysis.safe &&`, or say `unsafe: true` and a `reason`",
    ]


@pytest.mark.parametrize(
    "when",
    [
        "analysis.safe && rollout.minutes > 30.0",
        "analysis.score >= 95.0",
        "size(analysis.not_worse) > 2 && size(analysis.worse) == 0",
        "!(!analysis.safe || budget.remaining < 0.0)",
        "change.flagged ? analysis.safe : analysis.safe && risk.level == 'low'",
    ],
)
def test_a_promote_that_does(found, when):
    assert found(f'{{name: go, when: "{when}", then: promote, message: m}}') == []


def test_unsafe_with_a_reason_silences_what_may_be_meant(found):
    promote = (
        "{name: go, when: change.flagged, then: promote, message: m, unsafe: true, reason: flags}"
    )
    hold = (
        "{name: page, when: size(budget.page_firing) > 0, then: hold, message: m, "
        "on_unknown: ignore, unsafe: true, reason: no short windows}"
    )
    assert found(SAFE, promote, hold) == []
    needless = SAFE.replace("}", ", unsafe: true, reason: r}")
    assert found(needless) == [
        (
            "5:70: warning: rule 'safe' `unsafe` is not needed: nothing is wrong with it "
            "[needless-unsafe]"
        )
    ]


def test_unsafe_needs_a_reason_and_a_reason_unsafe(found):
    assert found(SAFE.replace("}", ", unsafe: true}")) == [
        "5:70: error: rule 'safe': `unsafe` needs a `reason` [invalid]"
    ]
    assert found(SAFE.replace("}", ", reason: why}")) == [
        (
            "5:70: error: rule 'safe': `reason` says why a rule is `unsafe: true`; this one is not "
            "[invalid]"
        )
    ]


def test_a_rule_that_fails_open(found):
    rule = "{name: x, when: change.flagged, then: rollback, message: m, on_unknown: ignore}"
    assert found(SAFE, rule) == [
        (
            "6:65: warning: rule 'x' says nothing when its facts are unknown, though it is there "
            "to rollback [fails-open]"
        ),
        "  if that is meant, say `unsafe: true` and a `reason`",
    ]
    assert found(SAFE, rule.replace("ignore", "ignore, mode: audit")) == []


def test_a_rule_that_says_the_same_as_another(found):
    one = "{name: a, when: 'analysis.worse == []', then: hold, message: m}"
    other = "{name: b, when: 'analysis.worse  ==  []', then: hold, message: n}"
    assert found(SAFE, one, other) == [
        "7:22: warning: rule 'b' says the same as rule 'a' [same-as]"
    ]
    assert found(SAFE, one, other.replace("hold", "warn")) == []


def test_a_policy_that_can_never_promote(found):
    rule = "{name: closed, when: analysis.safe, then: hold, message: m}"
    assert found(SAFE, rule) == [
        "4:1: error: whatever is known, some rule keeps the promote away [never-promotes]"
    ]
    late = "{name: late, when: rollout.minutes > 9.0, then: hold, message: m}"
    early = "{name: early, when: rollout.minutes <= 9.0, then: rollback, message: m}"
    assert found(SAFE, late, early)[0].startswith("4:1: error: whatever is known")
    assert found(SAFE, late, early.replace("rollback", "rollback, mode: audit")) == []


def test_owners_and_docs_are_asked_for_where_lint_is_strict(found):
    assert found(SAFE, strict=True) == [
        "5:6: warning: rule 'safe' has no docs [no-docs]",
        "5:6: warning: rule 'safe' has no owner [no-owner]",
    ]
    assert found(SAFE.replace("}", ", owner: sre, docs: 'https://x'}"), strict=True) == []


def test_all_that_the_loader_refuses_is_found_at_once(found):
    assert found(
        "{name: a, when: risk.level == 'hihg' && analysis.saf, then: promote, message: m}",
        "{name: b, when: 'risk.level == \"hihg\"', then: hold, message: '{nonesuch}'}",
    ) == [
        (
            "5:45: error: rule 'a': unknown fact 'analysis.saf'; did you mean 'analysis.safe'? "
            "[invalid]"
        ),
        "6:57: error: rule 'b': message: unknown fact 'nonesuch' [invalid]",
        "6:36: error: rule 'b': risk.level is never 'hihg'; did you mean 'high'? [invalid]",
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("rules: [", "2:1: error: not valid YAML"),
        (HEAD + f"  - {SAFE}\nmodes: observe\n", "6:1: error: unknown key 'modes'; did you mean"),
        (HEAD.replace("web", "web\nname: web"), "4:1: error: key 'name' is written twice"),
        (HEAD.replace("gate/v1", "gate/v2"), "1:1: error: apiVersion: should be 'gate/v1'"),
        (HEAD + "  - {name: a, when: 'true', then: promot, message: m}\n", "5:29: error: rules.0"),
    ],
)
def test_what_is_no_policy_is_a_finding_too(found, text, said):
    assert found(text=text)[0].startswith(said)


def test_an_inherited_rule_is_for_the_file_that_writes_it(found, tmp_path):
    (tmp_path / "base.yaml").write_text(
        f"{HEAD}  - {SAFE}\n  - {{name: n, when: 'false', then: hold, message: m}}\n"
    )
    assert found(text=HEAD.replace("rules:", "extends: ./base.yaml")) == []
    assert [one.rule for one in lint(tmp_path / "base.yaml")] == ["n"]


def a_finding(tmp_path):
    path = tmp_path / "a b%,c.yaml"
    rule = "{name: '50%', when: \"false\", then: hold, message: m}"
    path.write_text(f"{HEAD}  - {SAFE}\n  - {rule}\n")
    return path, lint(path)


def test_as_json(tmp_path):
    path, findings = a_finding(tmp_path)
    told = json.loads(as_json(findings, [str(path)], POLICY))
    assert (told["schema"], told["errors"], told["warnings"]) == ("gate.policy_lint/v1", 1, 0)
    assert told["files"] == [str(path)]
    assert told["findings"] == [
        {"check": "never-holds", "level": "error", "file": str(path), "line": 6, "column": 26,
         "message": "rule '50%' can never hold", "hint": "", "rule": "50%"}
    ]  # fmt: skip


def test_as_sarif(tmp_path, monkeypatch):
    # What SARIF 2.1.0 requires (sections 3.13, 3.14, 3.18, 3.19, 3.27, 3.30), and GitHub reads.
    path, _ = a_finding(tmp_path)
    monkeypatch.chdir(tmp_path)
    told = json.loads(as_sarif(lint(path.relative_to(tmp_path)), POLICY))
    assert told["version"] == "2.1.0"
    (run,) = told["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert [one["id"] for one in rules] == list(CHECKS)
    (result,) = run["results"]
    assert rules[result["ruleIndex"]]["id"] == result["ruleId"] == "never-holds"
    assert result["level"] == "error"
    assert result["message"]["text"] == "rule '50%' can never hold"
    (location,) = result["locations"]
    assert location["physicalLocation"] == {
        "artifactLocation": {"uri": "a%20b%25%2Cc.yaml"},
        "region": {"startLine": 6, "startColumn": 26},
    }


@pytest.mark.parametrize(
    ("many", "shown", "more"), [(10, 10, []), (11, 9, ["2 more"]), (12, 9, ["3 more"])]
)
def test_github_is_not_told_more_than_it_shows(many, shown, more):
    each = [
        finding("never-holds", level, f"a.yaml:{n}:1", "x")
        for n in range(1, many + 1)
        for level in Level
    ]
    lines = as_github(each, POLICY).splitlines()
    for word in ("error", "warning", "notice"):
        own = [line for line in lines if line.startswith(f"::{word} ")]
        assert len(own) == shown + len(more) <= 10
        assert sum("file=a.yaml" in line for line in own) == shown
        assert [line.split("::")[-1].split(";")[0] for line in own[shown:]] == more
    assert len(lines) == 3 * (shown + len(more))


def test_as_github_annotations(tmp_path):
    # As @actions/core escapes commands: https://github.com/actions/toolkit, command.ts
    path, findings = a_finding(tmp_path)
    assert as_github(findings, POLICY) == (
        f"::error file={path.parent}/a b%25%2Cc.yaml,line=6,col=26,"
        "title=gate policy%3A never-holds::rule '50%25' can never hold\n"
    )
