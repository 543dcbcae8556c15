"""The GitHub source, asked about a fake repository on loopback."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import contextmanager

import pytest

from gate.change import Change
from gate.evidence.source import Asked, SourceError
from gate.pull import PullRequests
from gate.request import Request, Window
from gate.service import Arms, ChangeRange, PullRange
from gate.sources.github.github import GitHub, GitHubSpec
from tests.parts.broken import Asked as Heard
from tests.parts.broken import Reply, answering
from tests.parts.hub import REPO

TOKEN = "ghp_0123456789abcdef"


class Asking:
    """One source and what its server heard; `pauses` are what it would have slept."""

    def __init__(self, url: str, heard: list[Heard], environ: Mapping[str, str], **spec) -> None:
        self.heard, self.pauses = heard, []
        made = GitHubSpec(**{"repo": REPO, "url": url, "timeout": "2s", **spec})
        self.source = GitHub(made, environ, sleep=self.pauses.append, jitter=lambda: 0.01)

    def change(self, number: str = "", base: str = "v1", head: str = "head") -> Change:
        pull = PullRange(source="hub", base=base, head=head, number=number)
        wanted = ChangeRange(source="hub", base=base, head=head, pull=pull)
        return self.source.change(wanted, asked())

    def pulls(self, number: str = "", base: str = "v1", head: str = "head") -> PullRequests:
        return self.source.pulls(
            PullRange(source="hub", base=base, head=head, number=number), asked()
        )


def asked(seconds: float = 5.0, **words: str) -> Asked:
    return Asked(
        request=Request(service="shop", canary="v2", baseline="v1", as_of=0, since=0),
        window=Window(0, 60, 0),
        history=Window(0, 60, 0),
        arms=Arms(canary="", baseline=""),
        words={"canary": "v2", "baseline": "v1", **words},
        deadline=time.monotonic() + seconds,
    )


@contextmanager
def asking(reply: Callable[[Heard], Reply], environ=None, *, prefix: str = "", **spec):
    environ = {"GITHUB_TOKEN": TOKEN} if environ is None else environ
    with answering(reply) as server:
        yield Asking(server.url + prefix, server.asked, environ, **spec)


def refused(answer: Callable[[], object]) -> SourceError:
    with pytest.raises(SourceError) as caught:
        answer()
    assert TOKEN not in str(caught.value)
    return caught.value
