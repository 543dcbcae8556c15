"""Policies that extend others, told as files in a folder."""

import hashlib

import pytest

from gate.errors import UsageError
from gate.policy.load import load, named
from gate.policy.policy import Stance, Then
from tests.parts.rollouts import STANDARD

SAFE = "{name: safe, when: analysis.safe, then: promote, message: shown}"
LATE = "{name: late, when: rollout.minutes < 9.0, then: hold, message: early}"


def write(folder, name, *lines, rules=()):
    """A policy file of these lines and rules."""
    head = f"apiVersion: gate/v1\nkind: ReleasePolicy\nname: {name}\n"
    listed = "rules:\n" + "".join(f"  - {rule}\n" for rule in rules) if rules else ""
    path = folder / f"{name}.yaml"
    path.write_text(head + "".join(f"{line}\n" for line in lines) + listed)
    return path


def complaint(path, folder):
    with pytest.raises(UsageError) as caught:
        load(path)
    return str(caught.value).replace(f"{folder}/", "")


def names(policy):
    return [rule.name for rule in policy.rules]


def test_a_child_has_the_rules_of_its_parents_and_its_own(tmp_path):
    write(tmp_path, "base", rules=[SAFE])
    write(tmp_path, "times", rules=[LATE, SAFE])
    child = load(
        write(tmp_path, "web", "extends: [./base.yaml, ./times.yaml]", rules=[
            "{name: big, when: change.lines > 900, then: warn, message: big}"])
    )  # fmt: skip
    assert names(child) == ["safe", "late", "big"]
    assert [one.partition("@")[0] for one in child.extends] == ["base", "times"]


def test_a_shipped_policy_is_extended_by_its_name(tmp_path):
    child = load(write(tmp_path, "web", "extends: standard"))
    assert names(child) == names(STANDARD)
    assert child.extends == (f"standard@sha256:{STANDARD.sha256}",)
    assert child.sha256 != STANDARD.sha256


def test_a_rule_of_the_same_name_is_replaced_wholly(tmp_path):
    write(tmp_path, "base", rules=[SAFE, LATE.replace("}", ", owner: sre}")])
    milder = LATE.replace("then: hold", "then: warn")
    child = load(write(tmp_path, "web", "extends: ./base.yaml", rules=[milder]))
    (late,) = [rule for rule in child.rules if rule.name == "late"]
    assert (late.then, late.owner) == (Then.WARN, "")


def test_a_rule_is_disabled_only_with_a_reason(tmp_path):
    write(tmp_path, "base", rules=[SAFE, LATE])
    child = load(write(tmp_path, "web", "extends: ./base.yaml", "disable: {late: it is a batch}"))
    assert (names(child), child.disabled) == (["safe"], {"late": "it is a batch"})
    path = write(tmp_path, "web", "extends: ./base.yaml", "disable:", "  late: ' '", "  lat: x")
    assert complaint(path, tmp_path) == (
        "web.yaml:6:3: rule 'late' is disabled without a reason\n"
        "web.yaml:7:3: no inherited rule is named 'lat'; did you mean 'late'?"
    )


def test_a_rule_cannot_be_both_written_and_disabled(tmp_path):
    write(tmp_path, "base", rules=[SAFE, LATE])
    path = write(tmp_path, "web", "extends: ./base.yaml", "disable: {late: why}", rules=[LATE])
    assert complaint(path, tmp_path) == (
        "web.yaml:5:11: rule 'late' is written here and disabled here"
    )


def test_parents_that_contradict_each_other_are_refused(tmp_path):
    # Order means nothing, so none of the two can win.
    write(tmp_path, "base", rules=[SAFE, LATE])
    write(tmp_path, "other", rules=[SAFE, LATE.replace("9.0", "5.0")])
    extends = "extends: [./base.yaml, ./other.yaml]"
    assert complaint(write(tmp_path, "web", extends), tmp_path) == (
        "web.yaml:4:1: two of these have a rule 'late', and they differ: "
        "base.yaml:6:5 and other.yaml:6:5\n"
        "  write the rule here, or disable it with a reason"
    )
    assert load(write(tmp_path, "web", extends, rules=[LATE])).rules[-1].when.endswith("9.0")
    assert names(load(write(tmp_path, "web", extends, "disable: {late: slow start}"))) == ["safe"]


def test_the_mode_is_not_inherited(tmp_path):
    # Nobody stops blocking without having written so.
    write(tmp_path, "base", "mode: observe", rules=[SAFE])
    assert load(tmp_path / "base.yaml").mode is Stance.OBSERVE
    assert load(write(tmp_path, "web", "extends: ./base.yaml")).mode is Stance.ENFORCE


def test_a_circle_is_told(tmp_path):
    write(tmp_path, "a", "extends: ./b.yaml", rules=[SAFE])
    write(tmp_path, "b", "extends: ./c.yaml", rules=[SAFE])
    write(tmp_path, "c", "extends: [./b.yaml]", rules=[SAFE])
    said = complaint(tmp_path / "a.yaml", tmp_path)
    assert said.startswith(
        "a.yaml:4:1: extends ./b.yaml: b.yaml:4:1: extends ./c.yaml: c.yaml:4:11"
    )
    assert said.endswith("policies extend one another in a circle: b.yaml -> c.yaml -> b.yaml")
    itself = write(tmp_path, "d", "extends: d.yaml", rules=[SAFE])
    assert complaint(itself, tmp_path).endswith("in a circle: d.yaml -> d.yaml")


def test_many_policies_above_one_another_are_refused(tmp_path):
    write(tmp_path, "p0", rules=[SAFE])
    for number in range(1, 12):
        write(tmp_path, f"p{number}", f"extends: ./p{number - 1}.yaml", rules=[SAFE])
    assert names(load(tmp_path / "p8.yaml")) == ["safe"]
    assert "more than 8 policies above one another" in complaint(tmp_path / "p11.yaml", tmp_path)


def test_policies_by_the_dozen_are_refused(tmp_path):
    every = []
    for number in range(40):
        write(tmp_path, f"p{number}", rules=[SAFE])
        every.append(f"p{number}.yaml")
    path = write(tmp_path, "web", f"extends: [{', '.join(every)}]")
    assert "or 32 in all" in complaint(path, tmp_path)


def test_a_pin_that_matches(tmp_path):
    base = write(tmp_path, "base", rules=[SAFE])
    digest = hashlib.sha256(base.read_bytes()).hexdigest()
    child = load(write(tmp_path, "web", f"extends: ./base.yaml@sha256:{digest}"))
    assert names(child) == ["safe"]
    assert named(f"base.yaml@sha256:{digest}", tmp_path).policy.sha256 == digest


def test_a_pin_that_does_not_match(tmp_path):
    base = write(tmp_path, "base", rules=[SAFE])
    digest = hashlib.sha256(base.read_bytes()).hexdigest()
    base.write_text(base.read_text() + "# a change\n")
    now = hashlib.sha256(base.read_bytes()).hexdigest()
    child = write(tmp_path, "web", f"extends: ./base.yaml@sha256:{digest}")
    assert complaint(child, tmp_path) == (
        f"web.yaml:4:1: extends ./base.yaml@sha256:{digest}: policy './base.yaml' is pinned to "
        f"{digest} but is {now}\n  read what changed (gate policy show ./base.yaml), then pin "
        f"./base.yaml@sha256:{now}"
    )
    broken = write(tmp_path, "web", "extends: ./base.yaml@sha256:abc")
    assert "'abc' is no SHA-256" in complaint(broken, tmp_path)


def test_the_digest_covers_all_that_is_extended(tmp_path):
    base = write(tmp_path, "base", rules=[SAFE])
    write(tmp_path, "middle", "extends: ./base.yaml")
    top = write(tmp_path, "top", "extends: ./middle.yaml")
    before = load(top).sha256
    assert load(top).sha256 == before
    base.write_text(base.read_text() + "# a change\n")
    assert load(top).sha256 != before


def test_a_broken_parent_is_told_with_its_own_place(tmp_path):
    write(tmp_path, "base", rules=[SAFE.replace("analysis.safe", "analysis.saf")])
    assert complaint(write(tmp_path, "web", "extends: ./base.yaml"), tmp_path).startswith(
        "web.yaml:4:1: extends ./base.yaml: base.yaml:5:24: rule 'safe': unknown fact "
        "'analysis.saf'; did you mean 'analysis.safe'?"
    )
    missing = write(tmp_path, "web", "extends: ./nowhere.yaml")
    assert (
        complaint(missing, tmp_path)
        == "web.yaml:4:1: extends ./nowhere.yaml: nowhere.yaml: no such file"
    )
