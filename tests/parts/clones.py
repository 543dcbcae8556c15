"""Real git clones, and the change that the source tells of one."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

import pytest

from gate.evidence.source import Asked, SourceError
from gate.request import Request, Window
from gate.service import Arms, ChangeRange
from gate.sources.git import ANY, Git, GitSpec

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

    def __call__(self, *arguments: str, at: float | None = None) -> str:
        when = {} if at is None else {"GIT_COMMITTER_DATE": f"{at:.0f} +0000"}
        done = subprocess.run(
            ["git", "-C", self.folder, *arguments],
            env=os.environ | AUTHOR | when,
            check=True,
            capture_output=True,
            text=True,
        )
        return done.stdout.strip()

    def commit(
        self, tag: str, files: dict[str, str | bytes | None], at: float | None = None
    ) -> str:
        for name, content in files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if content is None:
                path.unlink()
            else:
                path.write_bytes(content.encode() if isinstance(content, str) else content)
        self("add", "-A")
        self("commit", "-q", "--allow-empty", "-m", tag, at=at)
        self("tag", tag)
        return self("rev-parse", "HEAD")


def ask(
    repository,
    base="{{baseline}}",
    head="{{canary}}",
    *,
    seconds=30.0,
    environment=None,
    globs=ANY,
    cache=None,
):
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
    source = Git(GitSpec(repo=folder.name), folder.parent, inherited, cache)
    return source.change(ChangeRange(source="git", base=base, head=head, globs=globs), asked)


def refusal(*arguments, **named) -> SourceError:
    with pytest.raises(SourceError) as caught:
        ask(*arguments, **named)
    return caught.value
