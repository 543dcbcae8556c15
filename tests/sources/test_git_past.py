"""What came before a change: the repository's own changes, and its files' history."""

from __future__ import annotations

import os
import subprocess

import pytest

from gate.risk.assess import assess
from tests.parts.clones import Repository, ask

DAY = 86_400
START = 1_700_000_000


@pytest.fixture
def repository(tmp_path):
    """The import, then two changes: a.py alone, and a.py with a page of the docs."""
    made = Repository(tmp_path / "shop")
    made.commit("import", {"app/a.py": "x = 1\n" * 20, "docs/old.md": "o\n" * 8}, at=START)
    made.commit("first", {"app/a.py": "x = 2\n" * 20}, at=START + DAY)
    page = {"app/a.py": "x = 3\n" * 20, "docs/deep/p.md": "p\n" * 8}
    made.commit("v1", page, at=START + 3 * DAY)
    return made


def test_the_own_changes_are_counted_newest_first_without_the_import(repository):
    repository.commit("v2", {"app/a.py": "x = 4\n"}, at=START + 7 * DAY)
    second, first = ask(repository).recent
    # 40 and 8 changed lines: 5/6 log2(6/5) + 1/6 log2 6 bits. a.py is two days old, the page new.
    assert second == (28, 20, 2, 2, 2, 0.65, 1.0, 1.0)
    assert first == (20, 20, 1, 1, 1, 0.0, 1.0, 1.0)


def test_age_and_earlier_changes_are_means_over_the_files(repository):
    files = {"app/a.py": "x = 4\n", "app/new.py": "n\n"}
    repository.commit("v2", files, at=START + 7 * DAY)
    change = ask(repository)
    assert (change.age, change.changes) == (2.0, 1.5)  # 4 days and a new file; thrice and never
    assert change.subsystems == 1
    assert change.notes == ()


def test_a_renamed_file_keeps_its_past_in_the_change_that_renames_it(repository):
    repository("mv", "app/a.py", "app/b.py")
    repository.commit("v2", {}, at=START + 7 * DAY)
    assert (ask(repository).age, ask(repository).changes) == (4.0, 3.0)


def test_a_merge_is_one_change_with_all_that_it_brought(repository):
    repository("checkout", "-q", "-b", "feature")
    repository.commit("f1", {"feature.py": "f\n"})
    repository.commit("f2", {"feature.py": "f\ng\n", "other.py": "o\n"})
    repository("checkout", "-q", "main")
    repository("merge", "-q", "--no-ff", "-m", "merge", "feature")
    repository("tag", "merged")
    repository.commit("v2", {"app/a.py": "x\n"})
    added, _, files, *_ = ask(repository, base="merged").recent[0]
    assert (added, files) == (3, 2)
    assert len(ask(repository, base="merged").recent) == 3


def test_generated_and_vendored_files_are_not_counted_and_it_says_so(repository):
    attributes = "*.lock linguist-generated\nvendor/** linguist-vendored=true\n"
    repository.commit("rules", {".gitattributes": attributes, "a.lock": "1\n" * 900})
    vendored = {"a.lock": "2\n" * 900, "vendor/v.js": "v\n" * 700, "app/a.py": "x\n"}
    repository.commit("v2", vendored)
    change = ask(repository, base="rules")
    assert (change.files, change.lines_added) == (1, 1)
    assert change.notes == ("2 generated or vendored files are not counted (.gitattributes)",)
    assert change.recent[0][:3] == (2, 0, 1)


def test_a_change_does_not_excuse_itself_from_being_counted(repository, tmp_path):
    excused = {".gitattributes": "* linguist-generated\n", "app/a.py": "y\n" * 900}
    repository.commit("v2", excused)  # and head is checked out, as CI does
    assert ask(repository).lines_added == 901
    bare = tmp_path / "bare"
    subprocess.run(["git", "clone", "-q", "--bare", repository.folder, bare], check=True)
    assert ask(bare) == ask(repository)


def test_looking_leaves_nothing_in_the_clone(repository):
    repository.commit("v2", {".gitattributes": "*.lock -text\n"})
    repository("config", "core.splitIndex", "true")
    before = sorted(repository.folder.rglob("*"))
    ask(repository)
    assert sorted(repository.folder.rglob("*")) == before


def test_a_folder_inside_the_clone_tells_the_same(repository):
    repository.commit("rules", {".gitattributes": "app/gen/* linguist-generated\n"})
    repository.commit("v2", {"app/gen/g.py": "g\n" * 50, "docs/d.md": "d\n"})
    repository("config", "diff.relative", "true")
    repository("config", "log.showSignature", "true")
    inside = ask(repository.folder / "app", base="rules")
    assert inside == ask(repository, base="rules")
    assert (inside.files, inside.lines_added) == (1, 1)
    assert len(inside.recent) == 3


def test_odd_names_are_names(repository):
    odd = {"app/\x01 0 1\n.py": "x\n", "app/tab\t.py": "y\n", "\n": "z\n"}
    repository.commit("odd", odd, at=START + 4 * DAY)
    repository.commit("v2", dict.fromkeys(odd, "new\n"), at=START + 6 * DAY)
    change = ask(repository, base="odd")
    assert change.recent[0][:3] == (3, 0, 3)
    assert (change.age, change.changes) == (2.0, 1.0)


def test_a_shallow_clone_tells_what_it_holds(repository, tmp_path):
    repository.commit("v2", {"app/a.py": "y = 1\n"})
    clone = tmp_path / "clone"
    url = repository.folder.as_uri()
    subprocess.run(["git", "clone", "-q", "--depth=3", url, clone], check=True)
    change = ask(clone, base="HEAD~1", head="HEAD")
    assert len(change.recent) == 1  # where the clone ends, everything would seem added
    assert len(change.recent[0]) == 6
    assert change.age is change.changes is None
    assert any("history of the touched files" in note for note in assess(change).notes)


def test_a_git_that_hangs_while_looking_back_costs_only_the_past(repository, tmp_path):
    repository.commit("v2", {"app/a.py": "y = 1\n"})
    slow = tmp_path / "bin" / "git"
    slow.parent.mkdir()
    slow.write_text(
        '#!/bin/sh\ncase "$*" in *--diff-merges*) exec sleep 60;; esac\n'
        f'PATH="{os.environ["PATH"]}" exec git "$@"\n'
    )
    slow.chmod(0o755)
    path = f"{slow.parent}:{os.environ['PATH']}"
    change = ask(repository, seconds=2.0, environment=os.environ | {"PATH": path})
    assert (change.files, change.recent) == (1, ())
    assert "earlier changes are not known" in change.notes[0]


def test_a_partial_clone_whose_blobs_are_gone_still_weighs_the_change(repository, tmp_path):
    repository.commit("v2", {"app/a.py": "y = 1\n"})
    repository("config", "uploadpack.allowFilter", "true")
    clone = tmp_path / "clone"
    partial = ["git", "clone", "-q", "--filter=blob:none", repository.folder.as_uri(), clone]
    subprocess.run(partial, check=True)
    for revision in ("v1", "v2"):  # both ends are here, what lies before is not
        subprocess.run(["git", "-C", clone, "checkout", "-q", revision], check=True)
    repository.folder.rename(tmp_path / "gone")
    change = ask(clone)
    assert (change.files, change.lines_added) == (1, 1)
    assert change.recent == ()
    assert "earlier changes are not known" in change.notes[0]


def test_sixty_small_changes_and_a_large_one(repository):
    for number in range(60):
        repository.commit(f"c{number}", {f"app/{number % 7}.py": f"{number}\n" * 3})
    repository.commit("large", {f"lib{n}/m.py": "x\n" * 100 for n in range(20)})
    risk = assess(ask(repository, base="c59", head="large"))
    assert (risk.level, risk.percentile, risk.compared) == ("critical", 100.0, 62)
    assert "2,000 lines were added; the median change here adds 3" in risk.factors[0].words


def test_what_it_touches_and_the_types_of_its_commits(repository):
    repository.commit("c1", {"app/migrations/7.sql": "s\n"})
    repository("commit", "-q", "--amend", "-m", "fix(db): add a column")
    attributes = {".gitattributes": "*.lock linguist-generated\n", "uv.lock": "u\n"}
    repository.commit("v2", attributes)
    repository("commit", "-q", "--amend", "-m", "feat!: new")
    repository("tag", "-f", "v2")
    change = ask(repository)
    # A lock file is generated, so it is not counted; that it changed is told all the same.
    assert change.touches == ("dependencies", "migrations")
    assert change.types == ("breaking", "feat", "fix")


def test_a_shallow_clone_cannot_tell_the_types_of_commits(repository, tmp_path):
    repository.commit("v2", {"app/a.py": "y = 1\n"})
    clone = tmp_path / "clone"
    url = repository.folder.as_uri()
    subprocess.run(["git", "clone", "-q", "--depth=2", url, clone], check=True)
    change = ask(clone, base="HEAD~1", head="HEAD")
    assert (change.commits, change.types, change.touches) == (None, None, ())
