"""What git told of the past is kept: the same answer, less asked; never another repository's."""

from __future__ import annotations

import os

import pytest

from gate.sources import gitcache
from tests.parts.clones import Repository, ask

DAY = 86_400
START = 1_700_000_000


@pytest.fixture
def repository(tmp_path):
    made = Repository(tmp_path / "shop")
    made.commit("import", {"app/a.py": "x = 1\n" * 20}, at=START)
    made.commit("v1", {"app/a.py": "x = 2\n", "logo.png": b"\0\1"}, at=START + DAY)
    made.commit("v2", {"app/a.py": "x = 3\n", "app/\xe9\n.py": "y\n"}, at=START + 3 * DAY)
    made("mv", "app/a.py", "app/b.py")
    made.commit("v3", {}, at=START + 4 * DAY)
    made.commit("v4", {"app/b.py": "z\n"}, at=START + 9 * DAY)
    return made


@pytest.fixture
def without_the_walk(tmp_path):
    """An environment whose git refuses to walk the whole line."""
    shim = tmp_path / "bin" / "git"
    shim.parent.mkdir()
    shim.write_text(
        '#!/bin/sh\ncase "$*" in *--diff-merges*..*) ;; *--diff-merges*) exit 1;; esac\n'
        f'PATH="{os.environ["PATH"]}" exec git "$@"\n'
    )
    shim.chmod(0o755)
    return os.environ | {"PATH": f"{shim.parent}:{os.environ['PATH']}"}


def between(repository, base, head, **said):
    return ask(repository, base=base, head=head, **said)


def test_what_is_kept_gives_the_same_answer_without_walking(repository, tmp_path, without_the_walk):
    cache = tmp_path / "cache"
    asked = between(repository, "v3", "v4")
    assert between(repository, "v3", "v4", cache=cache) == asked
    again = between(repository, "v3", "v4", cache=cache, environment=without_the_walk)
    assert again == asked
    assert (again.age, again.changes) == (5.0, 1.0)


def test_from_an_earlier_commit_only_the_new_ones_are_walked(
    repository, tmp_path, without_the_walk
):
    cache = tmp_path / "cache"
    between(repository, "v1", "v4", cache=cache)
    further = between(repository, "v3", "v4", cache=cache, environment=without_the_walk)
    assert further == between(repository, "v3", "v4")
    assert len(further.recent) == 3


def test_only_as_many_of_the_changes_are_kept_as_are_compared(repository, tmp_path, monkeypatch):
    cache = tmp_path / "cache"
    monkeypatch.setattr("gate.sources.githistory.WINDOW", 2)
    monkeypatch.setattr(gitcache, "WINDOW", 2)
    between(repository, "v1", "v4", cache=cache)
    assert between(repository, "v3", "v4", cache=cache) == between(repository, "v3", "v4")


def test_a_commit_beside_the_line_is_walked_for_itself(repository, tmp_path):
    cache = tmp_path / "cache"
    between(repository, "v3", "v4", cache=cache)
    repository("checkout", "-q", "-b", "hotfix", "v1")
    repository.commit("v1.0.1", {"app/a.py": "h\n"}, at=START + 5 * DAY)
    repository.commit("v1.0.2", {"app/a.py": "i\n"}, at=START + 6 * DAY)
    for base in ("v1.0.1", "v1", "v3"):
        kept = between(repository, base, "v1.0.2", cache=cache)
        assert kept == between(repository, base, "v1.0.2")


@pytest.mark.parametrize(
    "spoil",
    [lambda body: b"", lambda body: body[:200], lambda body: body[:-1] + b"!",
     lambda body: body[::-1]],
)  # fmt: skip
def test_a_file_that_is_not_whole_is_as_if_it_were_not_there(repository, tmp_path, spoil):
    cache = tmp_path / "cache"
    asked = between(repository, "v3", "v4", cache=cache)
    (kept,) = cache.iterdir()
    kept.write_bytes(spoil(kept.read_bytes()))
    assert between(repository, "v3", "v4", cache=cache) == asked


def test_a_folder_that_cannot_be_written_costs_nothing_but_time(repository, tmp_path):
    (tmp_path / "file").write_text("")
    asked = between(repository, "v3", "v4")
    assert between(repository, "v3", "v4", cache=tmp_path / "file" / "cache") == asked


def test_another_repository_in_the_same_folder_is_told_by_its_own_commits(repository, tmp_path):
    cache = tmp_path / "cache"
    between(repository, "v3", "v4", cache=cache)
    repository.folder.rename(tmp_path / "old")
    other = Repository(tmp_path / "shop")
    other.commit("v3", {"app/b.py": "o\n"}, at=START)
    other.commit("v4", {"app/b.py": "p\n"}, at=START + DAY)
    assert between(other, "v3", "v4", cache=cache) == between(other, "v3", "v4")


def test_only_the_last_few_pasts_of_a_folder_are_kept(repository, tmp_path):
    cache = tmp_path / "cache"
    for base in ("import", "v1", "v2", "v3"):
        between(repository, base, "v4", cache=cache)
    assert len(list(cache.iterdir())) == gitcache.KEPT


def test_a_shallow_clone_keeps_nothing(repository, tmp_path):
    clone = tmp_path / "clone"
    repository("clone", "-q", "--depth=3", repository.folder.as_uri(), str(clone))
    between(clone, "HEAD~1", "HEAD", cache=tmp_path / "cache")
    assert not (tmp_path / "cache").exists()
