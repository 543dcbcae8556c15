"""What the paths of a change mean: kinds, components, owners, what is not counted."""

from __future__ import annotations

import os

import pytest

from gate.service import Globs
from gate.sources.owners import owners
from gate.sources.touched import matched, touched
from tests.parts.clones import Repository, ask

# The example file of GitHub's documentation, shortened, with its own remarks as the answers:
# https://docs.github.com/en/repositories/managing-your-repositorys-settings-and-features/customizing-your-repository/about-code-owners
GITHUB = """\
* @global-owner1 @global-owner2
*.js    @js-owner #This is an inline comment.
*.go docs@example.com
*.txt @octo-org/octocats
/build/logs/ @doctocat
docs/* docs@example.com
apps/ @octocat
/docs/ @doctocat
/scripts/ @doctocat @octocat
**/logs @octocat
/apps/ @octocat
/apps/github
"""


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("Makefile", ("@global-owner1", "@global-owner2")),
        ("lib/deep/a.js", ("@js-owner",)),
        ("main.go", ("docs@example.com",)),
        ("notes.txt", ("@octo-org/octocats",)),
        ("docs/deep/build.md", ("@doctocat",)),
        ("web/apps/a.c", ("@octocat",)),
        ("build/logs/today", ("@octocat",)),  # the later `**/logs` wins
        ("scripts/x", ("@doctocat", "@octocat")),
        ("apps/x.go", ("@octocat",)),
        ("apps/github/x.go", ()),  # owned by nobody
    ],
)
def test_the_last_pattern_of_codeowners_wins_as_github_documents_it(path, names):
    assert owners([path], GITHUB).names == names


def test_a_star_of_codeowners_does_not_reach_into_folders():
    assert owners(["docs/deep/a.md"], "docs/* @d\n").names == ()
    assert owners(["docs/a.md"], "docs/* @d\n").names == ("@d",)


def test_no_codeowners_and_one_that_cannot_be_read_are_not_nobody():
    assert owners(["a"], None).names is None
    broken = owners(["a"], "src/[a @x\n")
    assert broken.names is None
    assert broken.notes[0].startswith("CODEOWNERS cannot be read: ")


def test_globs_are_those_of_gitignore():
    paths = ["gen/a/b.py", "x/gen/a.py", "api.pb.go", "src/api.pb.go", "src/a.go"]
    assert matched(paths, ["/gen/", "*.pb.go"]) == {"gen/a/b.py", "api.pb.go", "src/api.pb.go"}


def test_a_kind_of_the_teams_takes_the_place_of_the_gates_own():
    paths = ["db/changes/7.xml", "uv.lock", "old/migrations/1.py"]
    usual = touched(paths, Globs(), None)
    assert usual.touches == ("dependencies", "migrations")
    assert (usual.components, usual.owners) == (None, None)
    globs = Globs(kinds={"migrations": ("db/changes/",), "schema": ("*.xsd",)})
    assert touched(paths, globs, None).touches == ("dependencies", "migrations")
    assert touched(paths[1:], globs, None).touches == ("dependencies",)


def test_a_component_is_touched_by_any_file_of_it():
    globs = Globs(components={"web": ("app/**",), "library": ("lib/", "shared/")})
    assert touched(["app/x/a.py", "README"], globs, None).components == ("web",)
    assert touched(["README"], globs, None).components == ()


@pytest.fixture
def repository(tmp_path):
    made = Repository(tmp_path / "shop")
    rules = "* @shop/all\n/app/ @shop/web\n"
    made.commit("v1", {".github/CODEOWNERS": rules, "CODEOWNERS": "* @wrong\n", "app/a": "1\n"})
    return made


def test_the_owners_are_those_that_stood_before_the_change(repository):
    own = {".github/CODEOWNERS": "* @me\n", "app/a": "2\n"}
    repository.commit("v2", own)
    assert ask(repository).owners == ("@shop/all", "@shop/web")
    assert ask(repository.folder / "app").owners == ("@shop/all", "@shop/web")


def test_a_clone_without_codeowners_knows_none(tmp_path):
    made = Repository(tmp_path / "plain")
    made.commit("v1", {"a": "1\n"})
    made.commit("v2", {"a": "2\n"})
    assert ask(made).owners is None


def test_what_the_service_file_calls_generated_is_not_counted_here_nor_before(repository):
    repository.commit("v1b", {"gen/a.py": "g\n" * 500, "app/a": "2\n"})
    repository.commit("v2", {"gen/b.py": "g\n" * 900, "app/a": "3\n", "app/b": "1\n"})
    globs = Globs(uncounted=("gen/**",), components={"made": ("gen/",), "web": ("app/",)})
    change = ask(repository, base="v1b", globs=globs)
    assert (change.files, change.lines_added) == (2, 2)
    assert change.recent[0][0] == 1
    assert change.components == ("made", "web")  # it is not counted; that it changed is told
    assert change.notes == (
        "1 generated or vendored file is not counted (.gitattributes, service file)",
    )


def test_a_release_is_flagged_when_each_of_its_changes_names_its_flag(repository):
    repository("commit", "-q", "--allow-empty", "-m", "one\n\nFeature-Flag: new-cart\n")
    repository("tag", "one")
    repository.commit("two", {"app/a": "2\n"})
    repository("commit", "-q", "--amend", "-m", "two\n\nFeature-Flag: new-cart\nX: y\n")
    repository("tag", "v2")
    assert ask(repository).flagged is True
    repository.commit("v3", {"app/a": "3\n"})
    assert ask(repository, head="v3").flagged is False


def test_a_merge_with_the_flag_speaks_for_what_it_brings(repository):
    repository("checkout", "-q", "-b", "feature")
    repository.commit("f1", {"app/f": "f\n"})
    repository("checkout", "-q", "main")
    repository("merge", "-q", "--no-ff", "-m", "Merge\n\nFeature-Flag: f", "feature")
    repository("tag", "v2")
    assert ask(repository).flagged is True


def test_a_release_that_takes_something_back_is_not_behind_a_flag(repository):
    repository("checkout", "-q", "-b", "hotfix")
    repository.commit("v1.0.1", {"app/a": "h\n"})
    repository("checkout", "-q", "main")
    repository.commit("c", {"app/b": "2\n"})
    repository("commit", "-q", "--amend", "-m", "two\n\nFeature-Flag: new-cart")
    repository("tag", "v2")
    assert ask(repository).flagged is True
    assert ask(repository, base="v1.0.1").flagged is False


def test_owners_that_cannot_be_read_cost_only_themselves(repository, tmp_path):
    repository.commit("v2", {"app/a": "2\n"})
    shim = tmp_path / "bin" / "git"
    shim.parent.mkdir()
    shim.write_text(
        '#!/bin/sh\ncase "$*" in *cat-file*) echo no such blob >&2; exit 128;; esac\n'
        f'PATH="{os.environ["PATH"]}" exec git "$@"\n'
    )
    shim.chmod(0o755)
    path = f"{shim.parent}:{os.environ['PATH']}"
    change = ask(repository, environment=os.environ | {"PATH": path})
    assert (change.files, change.owners) == (1, None)
    assert change.notes[-1].startswith("the owners are not known: ")
