"""The change as GitHub's files and comparisons tell it."""

from __future__ import annotations

import pytest

from gate.evidence.evidence import Cause
from gate.evidence.misfit import misfit
from gate.risk.assess import assess
from gate.service import ChangeRange, PullRange
from tests.parts.hub import FakeGitHub, PullOf, a_binary, a_commit, a_comparison, a_file, sha
from tests.sources.githubs import asked, asking, refused

MIXED = [
    a_file("app/a.py", 10, 10),
    a_file("db/migrations/0007.sql", 40, 0, status="added"),
    a_file("lib/new.py", 0, 0, status="renamed", previous_filename="old/old.py", patch=None),
    a_binary("docs/logo.png"),
    a_file("app/empty", 0, 0, sha="e69de29bb2d1d6434b8b29ae775ad8c2e48c5391", patch=None),
]


def change_of(*pulls, number="7", **said):
    with asking(FakeGitHub(*pulls, **said)) as one:
        return one.change(number)


def test_a_pull_request_is_counted_as_git_would_count_it():
    commits = [a_commit("one", "feat(api)!: drop v1\n\nbody"), a_commit("head", "fix: it")]
    change = change_of(PullOf(files=MIXED, commits=commits))
    assert (change.base, change.head) == (sha("base"), sha("head"))
    assert (change.files, change.lines_added, change.lines_deleted) == (5, 50, 10)
    # app, db/migrations, lib and old of the rename, docs
    assert (change.directories, change.subsystems) == (5, 5)
    assert change.entropy == pytest.approx(0.918, abs=0.001)  # of 20 and 40 lines
    assert change.commits == 2
    assert change.touches == ("migrations",)
    assert change.types == ("breaking", "feat", "fix", "untyped")
    assert (change.age, change.changes, change.recent) == (None, None, ())
    assert "1 file is listed without lines: binary, or too much for GitHub" in change.notes
    assert misfit(ChangeRange(source="hub", base="", head=""), change) == ""
    notes = assess(change).notes
    assert any("reference commits of other projects" in note for note in notes)
    assert any("history of the touched files is not known" in note for note in notes)


def test_files_come_page_by_page_and_stop_at_3000_of_which_the_totals_are_still_known():
    many = PullOf(
        files=[a_file(f"lib{n % 40}/f{n}.py", 2, 1) for n in range(3000)],
        said={"changed_files": 4200, "additions": 9000, "deletions": 4000},
    )
    with asking(FakeGitHub(many)) as one:
        change = one.change("7")
    files = [heard for heard in one.heard if heard.path.endswith("/files")]
    assert [heard.form["page"] for heard in files[1:]] == [str(n) for n in range(2, 31)]
    assert (change.files, change.lines_added, change.lines_deleted) == (4200, 9000, 4000)
    assert change.directories == 40
    assert change.entropy is None
    assert change.touches is None
    assert "GitHub lists 3,000 of 4,200 files: directories are at least so many" in change.notes[0]


def test_files_listed_without_their_lines_do_not_make_the_change_smaller():
    # As github.com/orgs/community/discussions/213491 reports of very large pull requests.
    rows = [a_file("a.py", 15_000, 0), a_file("b.py", 0, 0, patch=None)]
    change = change_of(PullOf(files=rows, said={"additions": 22_000, "deletions": 30}))
    assert (change.lines_added, change.lines_deleted) == (22_000, 30)
    assert change.entropy is None
    assert "GitHub lists some files without their lines" in change.notes[0]


def test_more_commits_than_github_lists_leave_the_types_unknown():
    commits = [a_commit(f"c{n}") for n in range(250)]
    change = change_of(PullOf(commits=commits, said={"commits": 251}))
    assert change.commits == 251
    assert change.types is None


def test_a_title_counts_as_it_becomes_the_subject_of_a_squash():
    commits = [a_commit("head", "wip")]
    assert change_of(PullOf(commits=commits, said={"title": "feat: new"})).types == ("feat",)


def test_a_commit_whose_author_github_does_not_know_is_read_all_the_same():
    commits = [{**a_commit("head"), "author": {}, "committer": None}]
    assert change_of(PullOf(commits=commits)).commits == 1


def test_without_a_number_base_and_head_are_compared():
    commits = [a_commit(f"c{n}", f"fix: {n}", parents=(f"c{n - 1}",)) for n in range(120)]
    merge = a_commit("head", "feat: not a subject of its own", parents=("c119", "side"))
    # As clocks differ, the last by date need not be the last.
    whole = a_comparison(merge, *commits, files=MIXED, behind=2)
    with asking(FakeGitHub(compare={"v1...head": whole})) as one:
        change = one.change()
    assert (change.base, change.head) == (sha("base"), sha("head"))
    assert change.commits == 121
    assert change.types == ("fix", "untyped")  # whatever is taken back
    assert change.notes[0].startswith("base has 2 commits that head lacks")


def test_a_comparison_of_300_files_is_told_as_at_least():
    files = [a_file(f"f{n}") for n in range(300)]
    whole = a_comparison(a_commit("head"), files=files)
    with asking(FakeGitHub(compare={"v1...head": whole})) as one:
        change = one.change()
    assert change.notes[0].startswith("GitHub lists only 300 files: directories are at least")
    assert "files and lines too" in change.notes[0]
    assert (change.entropy, change.touches) == (None, None)


@pytest.mark.parametrize(
    ("ends", "told"),
    [
        (a_comparison(), "'head' changes nothing in 'v1'"),
        (a_comparison(behind=3), "it is 3 commits behind"),
        (a_comparison(a_commit("head")), "'head' changes nothing in 'v1'"),
    ],
)
def test_nothing_that_differs_is_no_change_without_risk(ends, told):
    with asking(FakeGitHub(compare={"v1...head": ends})) as one:
        error = refused(one.change)
    assert error.cause is Cause.EMPTY
    assert told in error.message


def test_an_empty_pull_request_is_no_change_without_risk():
    with asking(FakeGitHub(PullOf(files=[]))) as one:
        assert refused(lambda: one.change("7")).cause is Cause.EMPTY


def test_unknown_revisions_are_told():
    with asking(FakeGitHub()) as one:
        error = refused(lambda: one.change(base="v0", head="nowhere"))
    assert error.cause is Cause.BAD_QUERY
    assert "/compare/v0...nowhere: 404: Not Found" in error.message


@pytest.mark.parametrize("number", ["abc", "0", "-7", "7.0", "9" * 19])
def test_a_number_that_is_none_is_told(number):
    with asking(FakeGitHub()) as one:
        error = refused(lambda: one.change(number))
    assert f"'{number}' is not the number of a pull request" in error.message
    assert one.heard == []


def test_the_number_may_be_a_word_of_the_request():
    pull = PullRange(source="hub", base="v1", head="", number="{{pr}}")
    with asking(FakeGitHub(PullOf())) as one:
        assert one.source.pulls(pull, asked(pr="7")).numbers == (7,)
