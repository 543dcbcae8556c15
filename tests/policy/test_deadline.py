"""How long a pipeline is kept waiting: what a policy says of it, and what it takes from others."""

from __future__ import annotations

import re

import pytest

from gate.errors import UsageError
from gate.policy.lint import lint
from gate.policy.load import load
from tests.policy.test_packs import FOLDER, PACKS

MINUTE = 60.0
SAFE = "rules:\n  - {name: safe, when: analysis.safe, then: promote, message: shown}\n"
HALF_AN_HOUR = """\
evidence:
  - {name: all, minutes: 30}
  - {name: big, when: change.lines > 9, minutes: 90}
"""


def write(folder, name, *texts):
    path = folder / f"{name}.yaml"
    path.write_text(f"apiVersion: gate/v1\nkind: ReleasePolicy\nname: {name}\n{''.join(texts)}")
    return path


def test_where_no_policy_says_it_is_half_an_hour(tmp_path):
    policy = load(write(tmp_path, "web", SAFE))
    assert (policy.deadline, policy.longest_wait) == (None, 30 * MINUTE)


def test_the_shortest_of_the_parents_counts_and_its_own_before_all(tmp_path):
    write(tmp_path, "long", "deadline: 2h\n", SAFE)
    write(tmp_path, "short", "deadline: 1h30m\n", SAFE)
    write(tmp_path, "silent", SAFE)
    extends = "extends: [./long.yaml, ./short.yaml, ./silent.yaml]\n"
    assert load(write(tmp_path, "web", extends)).longest_wait == 90 * MINUTE
    assert load(write(tmp_path, "web", extends, "deadline: 3h\n")).longest_wait == 180 * MINUTE
    assert load(write(tmp_path, "web", "extends: [./silent.yaml, ./long.yaml]\n")).deadline == 7200


@pytest.mark.parametrize(
    ("written", "complaint"),
    [
        ("30d", "deadline must be longer than 0s and at most 29d, not 30d"),
        ("0s", "deadline must be longer than 0s and at most 29d, not 0s"),
        ("90", "deadline: '90' is not a duration"),
    ],
)
def test_what_cannot_be_waited_for_is_refused_with_its_place(tmp_path, written, complaint):
    path = write(tmp_path, "web", f"deadline: {written}\n", SAFE)
    with pytest.raises(UsageError, match=f"web.yaml:4:1: {complaint}"):
        load(path)


@pytest.mark.parametrize(
    ("texts", "line"),
    [
        (["deadline: 20m\n", SAFE, HALF_AN_HOUR], 4),
        (["deadline: 30m\n", SAFE, HALF_AN_HOUR], 4),  # all of it would have to be judged by then
        ([SAFE, HALF_AN_HOUR], 6),
        (["extends: [./patient.yaml, ./short.yaml]\n"], 4),
    ],
)
def test_lint_warns_of_a_deadline_that_no_release_could_meet(tmp_path, texts, line):
    write(tmp_path, "patient", "deadline: 1h\n", SAFE, HALF_AN_HOUR)
    write(tmp_path, "short", "deadline: 10m\n", SAFE)
    (found,) = lint(write(tmp_path, "web", *texts))
    assert (found.check, found.level, found.line) == ("too-late", "warning", line)
    assert "asks for 30m whatever is known" in found.message
    assert "`deadline: 1h`" in found.hint


def test_lint_does_not_mind_what_only_some_releases_are_asked_for(tmp_path):
    assert lint(write(tmp_path, "web", "deadline: 31m\n", SAFE, HALF_AN_HOUR)) == ()


@pytest.mark.parametrize("pack", PACKS)
def test_each_pack_waits_longer_than_any_of_its_rules_and_rows_watches(pack):
    policy = load(FOLDER / f"{pack}.yaml")
    watched = [
        float(minutes)
        for rule in policy.rules
        for minutes in re.findall(r"rollout\.seen_minutes (?:<|>=) ([0-9.]+)", rule.when)
    ]
    asked = [row.minutes for row in policy.evidence if row.minutes]
    assert policy.deadline is not None
    assert policy.deadline >= MINUTE * max(watched + asked) + 30 * MINUTE


def test_a_tier_that_asks_for_more_waits_longer():
    tiers = [load(FOLDER / f"tier-{tier}.yaml").longest_wait for tier in (0, 1, 2)]
    assert tiers == sorted(tiers, reverse=True)
    assert len(set(tiers)) == 3
