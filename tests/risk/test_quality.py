"""Measures of scores, and the commits they are measured on."""

from __future__ import annotations

import numpy as np
import pytest

from gate.errors import UsageError
from gate.risk.commits import Commit, parse
from gate.risk.level import Level
from gate.risk.quality import auc, levels, lift, pr_auc, recall

# The examples of scikit-learn 1.5's roc_auc_score and average_precision_score: 0.75 and 0.83...
LABELS = np.array([0.0, 0.0, 1.0, 1.0])
SCORES = np.array([0.1, 0.4, 0.35, 0.8])
HEADER = "project,t,la,ld,nf,nd,ns,ent,age,nuc,buggy\n"


def test_areas_are_those_of_scikit_learn():
    assert auc(SCORES, LABELS) == 0.75
    assert pr_auc(SCORES, LABELS) == pytest.approx(0.8333333333333333)


def test_scores_that_say_nothing_are_worth_a_coin():
    same = np.ones(4)
    assert (auc(same, LABELS), pr_auc(same, LABELS)) == (0.5, 0.5)


def test_a_fifth_of_the_lines_finds_what_is_likely_for_its_size():
    lines = np.array([10.0, 10.0, 80.0])
    assert recall(np.array([0.5, 0.4, 0.9]), lines, np.array([1.0, 0.0, 1.0])) == 0.5


def test_a_project_is_compared_with_its_own_trailing_changes():
    features = dict.fromkeys(("la", "ld", "nf", "nd", "ns", "ent"), 1.0)
    commits = [Commit("p", float(n), features, buggy=False) for n in range(60)]
    commits.append(Commit("other", 60.0, features, buggy=True))
    found = levels(commits, [*np.arange(60.0), 59.0], reference=(100.0, 200.0, 300.0))
    assert set(found[:50]) == {Level.LOW}  # by the reference: too few before
    assert set(found[50:60]) == {Level.CRITICAL}  # each is the highest so far
    assert found[60] is Level.LOW  # another project's first


def test_lift_is_the_rate_in_a_level_over_that_of_all():
    found = [Level.LOW, Level.LOW, Level.HIGH, Level.HIGH]
    assert lift(found, np.array([0.0, 1.0, 1.0, 1.0])) == {
        Level.LOW: pytest.approx(2 / 3), Level.HIGH: pytest.approx(4 / 3),
    }  # fmt: skip


def test_commits_come_in_the_order_of_their_time():
    text = HEADER + "p,2,5,1,1,1,1,0,3.5,2,1\np,1,1,0,1,1,1,0,0,0,0\n"
    first, second = parse(text, "f.csv")
    assert (first.time, second.lines, second.features["age"], second.buggy) == (1, 6, 3.5, True)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("la,ld\n1,2\n", "f.csv: no column nf, nd, ns, ent, buggy"),
        ("", "f.csv: no column la"),
        (HEADER + "p,1,x,1,1,1,1,0,0,0,1\n", "f.csv:2: la is 'x', not a number"),
        (HEADER + "p,1,-1,1,1,1,1,0,0,0,1\n", "f.csv:2: la is '-1', not a number from 0"),
        (HEADER + "p,1,nan,1,1,1,1,0,0,0,1\n", "f.csv:2: la is 'nan'"),
        (HEADER + "p,1,1\n", "f.csv:2: ld is None"),
        (HEADER + "p,1,1,1,1,1,1,0,0,0,yes\n", "f.csv:2: buggy is 'yes'"),
        (HEADER + "p,1,1,1,1,1,1,0,0,0,1\n", "f.csv: commits of both kinds are needed"),
    ],
)
def test_what_is_no_table_of_commits_is_refused_with_its_line(text, said):
    with pytest.raises(UsageError, match="^" + said.replace("(", r"\(")):
        parse(text, "f.csv")
