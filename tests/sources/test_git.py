import os
import subprocess

import pytest

from gate.evidence.evidence import Cause
from tests.parts.clones import Repository, ask, refusal


@pytest.fixture
def repository(tmp_path):
    made = Repository(tmp_path / "shop")
    made.commit("v1", {"README.md": "one\ntwo\n", "app/a.py": "x = 1\n" * 20})
    return made


def test_lines_files_folders_and_commits(repository):
    repository.commit("between", {"app/b.py": "y = 1\ny = 2\n"})
    head = repository.commit("v2", {"README.md": "one\nzwei\n", "docs/deep/c.md": "c\n"})
    change = ask(repository)
    assert change.head == head
    assert change.base == repository("rev-parse", "v1")
    assert (change.commits, change.files, change.directories) == (2, 3, 3)
    assert (change.lines_added, change.lines_deleted) == (4, 1)
    assert change.notes == ()


def test_a_rename_is_one_file_and_both_its_folders(repository):
    repository("mv", "app/a.py", "moved with\ttab.py")
    repository.commit("v2", {})
    change = ask(repository)
    assert (change.files, change.directories) == (1, 2)
    assert (change.lines_added, change.lines_deleted) == (0, 0)


def test_the_clones_configuration_does_not_change_the_count(repository):
    repository("config", "diff.renames", "false")
    repository("config", "diff.external", "/bin/false")
    repository("config", "diff.noprefix", "true")
    repository("mv", "app/a.py", "app/b.py")
    repository.commit("v2", {})
    assert ask(repository).files == 1


def test_a_binary_is_a_file_without_lines_and_is_noted(repository):
    repository.commit("v2", {"logo.png": b"\x89PNG\0\1\2", "app/new.py": "z = 1\n"})
    change = ask(repository)
    assert (change.files, change.lines_added) == (2, 1)
    assert change.notes == ("1 binary file is not counted in lines",)


def test_nothing_changed_is_no_change_without_risk(repository):
    repository.commit("v2", {})
    error = refusal(repository)
    assert error.cause is Cause.EMPTY
    assert "nothing differs between 'v1' and 'v2'" in error.message


def test_a_merge_counts_its_commits_and_the_difference_of_the_trees(repository):
    repository("checkout", "-q", "-b", "feature")
    repository.commit("f1", {"feature.py": "f\n"})
    repository("checkout", "-q", "main")
    repository.commit("m1", {"main.py": "m\n"})
    repository("merge", "-q", "--no-ff", "-m", "merge", "feature")
    repository("tag", "v2")
    change = ask(repository)
    assert (change.commits, change.files, change.lines_added) == (3, 2, 2)


def test_a_hotfix_that_the_release_takes_back_is_seen(repository):
    repository("checkout", "-q", "-b", "hotfix")
    repository.commit("v1.0.1", {"app/a.py": "x = 2\n" * 20})
    repository("checkout", "-q", "main")
    repository.commit("v2", {"app/b.py": "y = 1\n"})
    change = ask(repository, base="v1.0.1")
    assert change.files == 2
    assert change.lines_deleted == 20
    assert change.notes == ("base has 1 commit that head lacks; they are taken back",)


def test_what_is_taken_back_beside_a_fix_is_no_fix(repository):
    repository("checkout", "-q", "-b", "earlier")
    repository("checkout", "-q", "main")
    repository.commit("now", {"app/a.py": "x = 2\n" * 20})
    repository("checkout", "-q", "earlier")
    repository.commit("later", {"app/b.py": "y = 1\n"})
    repository("commit", "-q", "--amend", "-m", "fix: b")
    assert ask(repository, base="now", head="HEAD").types == ("fix", "untyped")
    assert ask(repository, base="now~1", head="HEAD").types == ("fix",)


def test_unrelated_histories_are_refused(repository):
    repository("checkout", "-q", "--orphan", "other")
    repository.commit("v2", {"README.md": "another\n"})
    error = refusal(repository)
    assert error.cause is Cause.BAD_QUERY
    assert "'v1' and 'v2' have no common history" in error.message


@pytest.fixture
def shallow(repository, tmp_path):
    repository.commit("v2", {"app/b.py": "y = 1\n"})
    url = repository.folder.as_uri()
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "-q", "--depth=1", url, clone], check=True)
    return clone


def test_a_shallow_clone_without_the_base_says_to_fetch_more(shallow):
    error = refusal(shallow)
    assert error.cause is Cause.PARTIAL
    assert "'v1' is not in this shallow clone; fetch more" in error.message


def test_a_shallow_clone_with_both_ends_counts_lines_and_leaves_commits_open(shallow):
    fetch = ["git", "-C", shallow, "fetch", "-q", "--depth=1", "origin", "tag", "v1"]
    subprocess.run(fetch, check=True)
    change = ask(shallow)
    assert (change.files, change.lines_added, change.commits) == (1, 1, None)
    assert change.notes == ("shallow clone: commits and the files' history are not counted",)


def test_an_unknown_revision_is_named(repository):
    error = refusal(repository)
    assert error.cause is Cause.BAD_QUERY
    assert "git knows no revision 'v2'" in error.message


def test_a_full_name_of_nothing_is_unknown_too(repository):
    assert "git knows no revision" in refusal(repository, head="a" * 40).message


@pytest.mark.parametrize(
    "revision", ["--output=/tmp/x", "-1", "", "a\nb", "v1..v1", "v1:README.md"]
)
def test_what_is_no_revision_is_refused(repository, revision):
    assert refusal(repository, head=revision).cause is Cause.BAD_QUERY


def test_not_a_repository(tmp_path):
    error = refusal(tmp_path, environment=os.environ | {"GIT_CEILING_DIRECTORIES": "/"})
    assert error.cause is Cause.UNREACHABLE
    assert "not a git repository" in error.message


def test_no_such_folder(tmp_path):
    assert "cannot change to" in refusal(tmp_path / "nowhere").message


def test_no_git_program(repository, tmp_path):
    error = refusal(repository, environment={"PATH": str(tmp_path)})
    assert error.cause is Cause.UNREACHABLE
    assert "the git program cannot be run" in error.message


def test_a_deadline_that_has_passed(repository):
    assert refusal(repository, seconds=-1.0).cause is Cause.TIMEOUT


def test_a_git_that_hangs(repository, tmp_path):
    slow = tmp_path / "bin" / "git"
    slow.parent.mkdir()
    slow.write_text("#!/bin/sh\nexec sleep 60\n")
    slow.chmod(0o755)
    path = f"{slow.parent}:{os.environ['PATH']}"
    error = refusal(repository, seconds=0.3, environment=os.environ | {"PATH": path})
    assert error.cause is Cause.TIMEOUT


def test_the_surrounding_git_hook_does_not_redirect_it(repository, tmp_path):
    repository.commit("v2", {"app/b.py": "y = 1\n"})
    elsewhere = Repository(tmp_path / "elsewhere")
    environment = os.environ | {"GIT_DIR": str(elsewhere.folder / ".git")}
    assert ask(repository, environment=environment).files == 1
