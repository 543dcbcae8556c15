import os
import subprocess
import time
from pathlib import Path

import pytest

from gate.evidence.evidence import Cause
from gate.evidence.source import Asked, SourceError
from gate.request import Request, Window
from gate.service import Arms, ChangeRange
from gate.sources.git import Git, GitSpec

AUTHOR = {
    "GIT_AUTHOR_NAME": "a",
    "GIT_AUTHOR_EMAIL": "a@example.org",
    "GIT_COMMITTER_NAME": "a",
    "GIT_COMMITTER_EMAIL": "a@example.org",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
}


class Repository:
    """A real clone; every method is a git command."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        self("init", "-q", "-b", "main")

    def __call__(self, *arguments: str) -> str:
        done = subprocess.run(
            ["git", "-C", self.folder, *arguments],
            env=os.environ | AUTHOR,
            check=True,
            capture_output=True,
            text=True,
        )
        return done.stdout.strip()

    def commit(self, tag: str, files: dict[str, str | bytes | None]) -> str:
        for name, content in files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if content is None:
                path.unlink()
            else:
                path.write_bytes(content.encode() if isinstance(content, str) else content)
        self("add", "-A")
        self("commit", "-q", "--allow-empty", "-m", tag)
        self("tag", tag)
        return self("rev-parse", "HEAD")


@pytest.fixture
def repository(tmp_path):
    made = Repository(tmp_path / "shop")
    made.commit("v1", {"README.md": "one\ntwo\n", "app/a.py": "x = 1\n" * 20})
    return made


def ask(repository, base="{{baseline}}", head="{{canary}}", *, seconds=30.0, environment=None):
    asked = Asked(
        request=Request(service="shop", canary="v2", baseline="v1", as_of=0, since=0),
        window=Window(0, 60, 0),
        history=Window(0, 60, 0),
        arms=Arms(canary="", baseline=""),
        words={"canary": "v2", "baseline": "v1"},
        deadline=time.monotonic() + seconds,
    )
    folder = repository.folder if isinstance(repository, Repository) else repository
    inherited = os.environ if environment is None else environment
    source = Git(GitSpec(repo=folder.name), folder.parent, inherited)
    return source.change(ChangeRange(source="git", base=base, head=head), asked)


def refusal(*arguments, **named) -> SourceError:
    with pytest.raises(SourceError) as caught:
        ask(*arguments, **named)
    return caught.value


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


def test_nothing_changed(repository):
    repository("tag", "v2")
    change = ask(repository)
    assert (change.commits, change.files, change.directories, change.lines_added) == (0, 0, 0, 0)


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


def test_unrelated_histories_still_differ_by_their_trees(repository):
    repository("checkout", "-q", "--orphan", "other")
    repository.commit("v2", {"README.md": "another\n"})
    assert ask(repository).files == 1


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
    assert change.notes == ("shallow clone: commits are not counted",)


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
