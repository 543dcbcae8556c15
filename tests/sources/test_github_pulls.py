"""Reviews, labels and checks: what counts, what does not, and what is not known."""

from __future__ import annotations

import pytest

from gate.evidence.evidence import Cause
from tests.parts.hub import (
    FakeGitHub,
    PullOf,
    a_commit,
    a_comparison,
    a_review,
    approved,
    sha,
)
from tests.sources.githubs import asking, refused


def pulls_of(*pulls, number="7", head="head", environ=None, spec=None, **said):
    with asking(FakeGitHub(*pulls, **said), **(spec or {})) as one:
        return one.pulls(number, head=sha(head) if head else "")


def reviewed(*reviews, **said):
    return pulls_of(PullOf(reviews=list(reviews), **said))


def test_two_people_who_agree_to_the_last_commit():
    told = reviewed(approved("bob"), a_review("bob", "COMMENTED"), approved("eve"))
    assert (told.approvals, told.stale, told.changes_requested) == (2, 0, False)
    assert told.self_approved is False
    assert (told.numbers, told.head, told.draft, told.merged) == ((7,), sha("head"), False, False)
    assert not any(name in repr(told) for name in ("ann", "bob", "eve"))


@pytest.mark.parametrize(
    ("reviews", "approvals", "stale", "requested"),
    [
        ([], 0, 0, False),
        ([approved("bob", of="older")], 0, 1, False),
        ([approved("bob", of="older"), approved("bob")], 1, 0, False),
        ([{**approved("bob"), "commit_id": None}], 0, 1, False),
        ([a_review("bob", "DISMISSED")], 0, 0, False),
        ([approved("bob"), a_review("bob", "CHANGES_REQUESTED")], 0, 0, True),
        ([a_review("bob", "CHANGES_REQUESTED", of="older"), approved("bob")], 1, 0, False),
        ([a_review("bob", "CHANGES_REQUESTED", of="older")], 0, 0, True),
        ([a_review("bob", "PENDING"), a_review("bob", "COMMENTED")], 0, 0, False),
        ([approved("bob"), a_review("BOB", "DISMISSED")], 0, 0, False),
    ],
)
def test_of_each_reviewer_the_last_word_counts(reviews, approvals, stale, requested):
    told = reviewed(*reviews)
    assert (told.approvals, told.stale, told.changes_requested) == (approvals, stale, requested)


@pytest.mark.parametrize(
    "review",
    [
        approved("anyone", role="NONE"),
        approved("once", role="CONTRIBUTOR"),
        approved("robot[bot]", kind="Bot"),
        approved(None),
        approved("ann"),
    ],
)
def test_an_approval_that_is_no_second_pair_of_eyes_is_not_counted_and_told(review):
    told = reviewed(review)
    assert told.approvals == 0
    assert "1 approval is not counted" in told.notes[0]


@pytest.mark.parametrize(
    ("pull", "alone"),
    [
        (PullOf(), False),  # nobody approved it, and it is not merged
        (PullOf(merged=True, merged_by="ann"), True),
        (PullOf(merged=True, merged_by="bob"), False),
        (PullOf(merged=True, merged_by="ann", reviews=[approved("bob")]), False),
        (PullOf(merged=True, merged_by="ann", reviews=[approved("bob", of="older")]), True),
        (PullOf(merged=True, merged_by=None), True),
        # Bob wrote a commit of Ann's pull request, and approves it.
        (PullOf(commits=[a_commit("head", author="bob")], reviews=[approved("bob")]), True),
        (PullOf(commits=[a_commit("head", author="bob")], reviews=[approved("eve")]), False),
        # A commit whose author GitHub does not know may be the approver's own.
        (PullOf(commits=[a_commit("head", author=None)], reviews=[approved("bob")]), None),
        (PullOf(author=None, reviews=[approved("bob")]), None),
        (PullOf(said={"commits": 400}, reviews=[approved("bob")]), None),
        (PullOf(commits=[a_commit("head", author=None)]), False),
        (
            PullOf(commits=[a_commit("head", author=None)], merged=True, merged_by="ann"),
            True,
        ),
    ],
)
def test_separation_of_duties(pull, alone):
    told = pulls_of(pull)
    assert told.self_approved is alone
    if alone is None:
        assert any("whether an approver wrote some of it is not known" in n for n in told.notes)


def test_a_merge_by_an_app_without_an_approval_is_self_approved():
    robot = {"login": "queue[bot]", "type": "Bot"}
    assert pulls_of(PullOf(merged=True, said={"merged_by": robot})).self_approved is True


def test_labels_say_types_and_flags_whatever_their_case():
    told = pulls_of(PullOf(labels=("Hotfix", "Feature-Flag", "size/S")))
    assert told.labels == ("Feature-Flag", "Hotfix", "size/S")
    assert told.types == ("fix", "hotfix", "untyped")
    assert told.flagged


def test_a_team_names_its_own_labels():
    spec = {"label_types": {"emergency": ["sev/1"]}, "flags": ["dark"]}
    told = pulls_of(PullOf(labels=("sev/1", "security", "feature-flag")), spec=spec)
    assert told.types == ("emergency", "fix", "security", "untyped")
    assert not told.flagged


RUNS = [
    ("test", "completed", "success"), ("lint", "completed", "neutral"),
    ("docs", "completed", "skipped"), ("e2e", "completed", "timed_out"),
    ("e2e", "completed", "success"), ("scan", "completed", "action_required"),
    ("build", "in_progress", None), ("gate", "queued", None),
]  # fmt: skip
STATUSES = [("ci/old", "error"), ("ci/slow", "pending"), ("ci/good", "success")]


def test_check_runs_and_statuses_beside_those_that_are_required():
    told = pulls_of(
        PullOf(), runs=RUNS, statuses=STATUSES, required=("test", "audit"), ruled=("sign", "gate"),
        spec={"ignore_checks": ["gate*"]},
    )  # fmt: skip
    assert told.failing == ("ci/old", "e2e", "scan")
    assert told.pending == ("build", "ci/slow")
    assert told.missing == ("audit", "sign")


def test_many_checks_come_page_by_page():
    runs = [(f"job {n}", "completed", "success") for n in range(150)]
    told = pulls_of(PullOf(), runs=[*runs, ("last", "completed", "failure")])
    assert told.failing == ("last",)


def test_checks_that_may_not_be_read_are_not_known_rather_than_fine():
    told = pulls_of(PullOf(), runs=RUNS, statuses=STATUSES, refused=("check-runs",))
    assert told.failing == ("ci/old",)  # seen is seen
    assert told.missing is None
    assert "checks are not all known: " in told.notes[0]
    assert "lacks the permission" in told.notes[0]
    told = pulls_of(PullOf(), refused=("check-runs", "status"))
    assert (told.failing, told.pending, told.missing) == (None, None, None)
    assert told.approvals == 0


def test_requirements_that_may_not_be_read_leave_only_the_missing_unknown():
    told = pulls_of(PullOf(), runs=RUNS[:1], refused=("branches/main",))
    assert (told.failing, told.pending, told.missing) == ((), (), None)
    hub = FakeGitHub(PullOf(base="release"), runs=RUNS[:1])
    with asking(hub) as one:
        assert one.pulls("7").missing is None


def test_a_server_older_than_rulesets_has_none():
    hub = FakeGitHub(PullOf(), runs=RUNS[:1], required=("audit",))
    del hub.answers["/repos/acme/shop/rules/branches/main"]
    with asking(hub) as one:
        assert one.pulls("7", head=sha("head")).missing == ("audit",)


def test_a_pull_request_that_is_not_what_is_released_is_refused():
    hub = FakeGitHub(PullOf(), commits=[a_commit("other")])
    with asking(hub) as one:
        error = refused(lambda: one.pulls("7", head=sha("other")))
    assert error.cause is Cause.BAD_QUERY
    assert f"acme/shop#7 ends at {sha('head')[:12]}, but {sha('other')[:12]}" in error.message


def test_its_merge_commit_is_what_is_released_and_a_tag_of_an_image_cannot_be_told():
    hub = FakeGitHub(PullOf(), commits=[a_commit("merge of 7")])
    with asking(hub) as one:
        assert one.pulls("7", head=sha("merge of 7")).notes == ()
        told = one.pulls("7", head="7d4b9c")
    assert "'7d4b9c' is no revision on GitHub" in told.notes[0]


# main: base - m7 (merge of #7, which brought c1) - s9 (squash of #9) - d (pushed) - head
LINE = [
    a_commit("c1", parents=("base",)),
    a_commit("m7", "Merge pull request #7", parents=("base", "c1")),
    a_commit("s9", "feat: nine (#9)", parents=("m7",)),
    a_commit("d", "chore: pushed", parents=("s9",)),
]
SEVEN = PullOf(number=7, merged=True, merged_by="bob", labels=("security",),
               reviews=[approved("bob"), approved("eve")])  # fmt: skip
NINE = PullOf(number=9, head="nine", merged=True, merged_by="bob", labels=("feature-flag",),
              commits=[a_commit("nine", "feat: nine")],
              reviews=[approved("bob", of="nine")])  # fmt: skip


def a_release(*line, **brought):
    hub = FakeGitHub(
        SEVEN, NINE, commits=line, compare={"v1...head": a_comparison(*line)}, brought=brought,
        runs=RUNS[:1],
    )  # fmt: skip
    with asking(hub) as one:
        return one.pulls(), one.heard


def test_several_pull_requests_of_a_release_are_told_by_the_least_reassuring():
    told, heard = a_release(*LINE[:3], m7=[7], s9=[9])
    assert told.numbers == (7, 9)
    assert told.approvals == 1
    assert told.labels == ("feature-flag", "security")
    assert told.types == ("feat", "fix", "security", "untyped")
    assert told.flagged is False  # not all of it
    assert (told.self_approved, told.failing) == (False, ())
    # c1 came with the merge; its own pull request is not asked for.
    assert not any(sha("c1") in one.path for one in heard)


def test_a_commit_that_was_pushed_was_approved_by_nobody():
    told, _ = a_release(*LINE, m7=[7], s9=[9])
    assert (told.numbers, told.direct) == ((7, 9), 1)
    assert told.approvals == 0
    assert told.self_approved is True
    assert told.missing is None


def test_without_a_baseline_the_head_alone_is_asked_about():
    hub = FakeGitHub(SEVEN, commits=LINE, brought={"m7": [7]})
    with asking(hub) as one:
        assert one.pulls(base="", head=sha("m7")).numbers == (7,)


def test_a_release_of_too_many_changes_is_not_half_read():
    line = [a_commit(f"c{n}", parents=(f"c{n - 1}",)) for n in range(51)]
    hub = FakeGitHub(commits=line, compare={"v1...head": a_comparison(*line)})
    with asking(hub) as one:
        error = refused(one.pulls)
    assert error.cause is Cause.TOO_LARGE
    assert "51 changes are released at once" in error.message


def test_commits_in_another_order_are_the_same_release():
    told, _ = a_release(*reversed(LINE), m7=[7], s9=[9])
    assert (told.numbers, told.direct) == ((7, 9), 1)
    broken, unrelated = a_commit("x", parents=("base",)), a_commit("y", parents=("base",))
    with asking(FakeGitHub(compare={"v1...head": a_comparison(broken, unrelated)})) as one:
        assert refused(one.pulls).cause is Cause.MALFORMED


def test_parents_in_a_circle_end():
    line = [
        a_commit("a", parents=("b",)),
        a_commit("b", parents=("a",)),
        a_commit("c", parents=("a",)),
    ]
    told, _ = a_release(*line)
    assert told.direct == 3


def test_a_merge_that_was_pushed_brings_types_nobody_knows():
    told, _ = a_release(*LINE[:2])
    assert (told.direct, told.types, told.approvals) == (1, None, 0)


def test_a_head_without_anything_new_has_no_pull_requests():
    with asking(FakeGitHub(compare={"v1...head": a_comparison()})) as one:
        assert refused(one.pulls).cause is Cause.EMPTY
