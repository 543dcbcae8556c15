"""The GitHub client against a server that limits, fails, dawdles and points elsewhere."""

from __future__ import annotations

import json
import time

import pytest

from gate.errors import UsageError
from gate.evidence.evidence import Cause
from gate.sources.exchange import Patience
from gate.sources.github.github import GitHub, GitHubSpec
from gate.sources.github.hub import Hub
from gate.sources.github.session import Server
from gate.sources.github.shapes import Pull
from tests.parts.broken import Reply, answering
from tests.parts.hub import REPO, FakeGitHub, PullOf, a_commit, said
from tests.parts.ports import free_port
from tests.sources.githubs import TOKEN, Asking, asked, asking, refused

NOON = 1_793_620_800  # 2026-11-02 12:00:00 UTC


def after(*first: Reply, **spec):
    return asking(FakeGitHub(PullOf(), first=first), **spec)


def test_the_token_and_the_version_of_the_api_are_sent_and_the_answer_is_read():
    with after() as one:
        assert one.change("7").files == 1
    headers = one.heard[0].headers
    assert headers["Authorization"] == f"token {TOKEN}"
    assert headers["Accept"] == "application/vnd.github+json"
    assert headers["X-GitHub-Api-Version"] == "2022-11-28"


def test_a_public_repository_needs_no_token(monkeypatch, tmp_path):
    # Nor is one taken from ~/.netrc.
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login a password b\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    with after(environ={}) as one:
        one.change("7")
    assert all("Authorization" not in heard.headers for heard in one.heard)


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_what_may_pass_is_asked_again(status):
    with after(said(status, "try later"), said(status, "try later")) as one:
        assert one.change("7").files == 1
    assert len(one.pauses) == 2


def test_a_server_that_never_recovers_is_told_with_its_own_words():
    with asking(lambda _: said(502, "Server Error"), attempts=3) as one:
        error = refused(lambda: one.change("7"))
    assert len(one.heard) == 3
    assert error.cause is Cause.SERVER_ERROR
    assert "502: Server Error" in error.message


def limited(seconds: int, status: int = 403) -> Reply:
    reset = str(int(time.time()) + seconds)
    return said(
        status, "API rate limit exceeded for installation", x_ratelimit_remaining="0",
        x_ratelimit_reset=reset,
    )  # fmt: skip


def test_a_rate_limit_that_resets_in_time_is_waited_for():
    with after(limited(1)) as one:
        assert one.change("7").files == 1
    assert 1.0 <= one.pauses[0] <= 3.0


@pytest.mark.parametrize("status", [403, 429])
def test_a_rate_limit_that_resets_too_late_is_told_with_its_time_and_not_waited_for(status):
    late = said(status, "API rate limit exceeded", x_ratelimit_remaining="0",
                x_ratelimit_reset=str(NOON), Retry_After="3600")  # fmt: skip
    with after(late) as one:
        error = refused(lambda: one.change("7"))
    assert one.pauses == []
    assert error.cause is Cause.SERVER_ERROR
    assert "rate limit reached until 2026-11-02 12:00:00 UTC" in error.message
    assert "to be waited for 3600 s" in error.message


def test_retry_after_is_waited_for():
    with after(said(429, "slow down", Retry_After="2"), said(403, "no", Retry_After="1")) as one:
        one.change("7")
    assert one.pauses == [2.0, 1.0]


def test_a_secondary_limit_without_a_time_is_a_minute_long():
    with after(said(403, "You have exceeded a secondary rate limit.")) as one:
        error = refused(lambda: one.change("7"))
    assert "to be waited for 60 s" in error.message


@pytest.mark.parametrize(
    ("status", "message", "cause", "told"),
    [
        (401, "Bad credentials", Cause.REFUSED, "the token in GITHUB_TOKEN, which is not valid"),
        (403, "Resource not accessible", Cause.REFUSED, "which lacks the permission"),
        (404, "Not Found", Cause.BAD_QUERY, "does not exist, or it is private and may not be seen"),
        (418, "teapot", Cause.MALFORMED, "418: teapot"),
    ],
)  # fmt: skip
def test_what_asking_again_cannot_mend_is_asked_once(status, message, cause, told):
    with asking(lambda _: said(status, message)) as one:
        error = refused(lambda: one.change("7"))
    assert len(one.heard) == 1
    assert error.cause is cause
    assert f"{status}: {message}" in error.message
    assert told in error.message


def test_without_a_token_the_message_says_where_one_would_be_looked_for():
    with asking(lambda _: said(404, "Not Found"), environ={}) as one:
        error = refused(lambda: one.change("7"))
    assert "there is no pull request acme/shop#7 to be seen" in error.message
    assert "asked with no token (none is in GITHUB_TOKEN)" in error.message


@pytest.mark.parametrize("status", [200, 403, 404])
def test_a_web_page_says_how_the_url_of_an_enterprise_server_ends(status):
    page = Reply(status, b"<html>Sign in to GHE</html>", kind="text/html; charset=utf-8")
    with asking(lambda _: page) as one:
        error = refused(lambda: one.change("7"))
    assert error.cause is Cause.MALFORMED
    assert "ends in /api/v3: <html>Sign in to GHE</html>" in error.message


@pytest.mark.parametrize("body", [b"nonsense", b"[]", b"{}", b'{"number": "x"}', b"null"])
def test_what_is_not_github_s_json_is_malformed(body):
    with asking(lambda _: Reply(200, body)) as one:
        error = refused(lambda: one.change("7"))
    assert error.cause is Cause.MALFORMED
    assert "the answer is not what GitHub's would be" in error.message


def test_a_list_that_is_none_is_malformed():
    hub = FakeGitHub(PullOf())
    for nonsense in ({"message": "surprise"}, [{"sha": "\ud800"}], [[]], ["x"]):
        hub.answers["/repos/acme/shop/pulls/7/commits"] = nonsense
        with asking(hub) as one:
            assert refused(lambda: one.change("7")).cause is Cause.MALFORMED


def test_text_that_cannot_be_stored_and_nesting_without_an_end_are_malformed():
    half = json.dumps([{**a_commit("head"), "sha": "\ud800"}]).encode()
    deep = b"[" * 100_000 + b"]" * 100_000
    hub = FakeGitHub(PullOf())
    for body in (half, deep):

        def reply(asked, body=body):
            return Reply(200, body) if asked.path.endswith("/commits") else hub(asked)

        with asking(reply) as one:
            assert refused(lambda: one.change("7")).cause is Cause.MALFORMED


def test_a_slow_answer_ends_at_the_deadline():
    with asking(lambda _: Reply(200, b" " * 100, pieces=100, pauses=0.2)) as one:
        started = time.monotonic()
        error = refused(lambda: one.source.both(7, started + 0.5))
    assert error.cause is Cause.TIMEOUT
    assert time.monotonic() - started < 5  # not the 20 s that the answer would take


def test_an_answer_without_an_end_is_not_read_to_it():
    with answering(lambda _: Reply(200, b" " * 5000)) as server:
        small = Server(server.url, "", "GITHUB_TOKEN", Patience(), most_bytes=1000)
        hub = Hub(small, REPO, asked().deadline)
        assert refused(lambda: hub.one(Pull, "pulls", "7")).cause is Cause.TOO_LARGE


def test_nobody_listening_is_unreachable():
    one = Asking(f"http://127.0.0.1:{free_port()}", [], {})
    error = refused(lambda: one.change("7"))
    assert error.cause is Cause.UNREACHABLE
    assert "Connection refused" in error.message


def test_a_renamed_repository_is_followed_on_its_own_server():
    hub = FakeGitHub(PullOf())
    moved = []

    def renamed(asked):
        if asked.path == "/repos/acme/shop/pulls/7" and not moved:
            moved.append(asked)
            return Reply(301, b"{}", headers={"Location": "/repos/acme/shop/pulls/7?moved=1"})
        return hub(asked)

    with asking(renamed) as one:
        assert one.change("7").files == 1
    assert one.heard[1].form == {"moved": "1"}


def test_the_token_is_sent_to_no_other_server_by_redirect_or_by_link():
    with answering(lambda _: Reply(200, b"[]")) as thief:
        away = {"Location": f"{thief.url}/repos/acme/shop/pulls/7"}
        with asking(lambda _: Reply(302, b"", headers=away)) as one:
            by_redirect = refused(lambda: one.change("7"))
        hub = FakeGitHub(PullOf())
        link = {"Link": f'<{thief.url}/more>; rel="next"'}

        def linking(asked):
            reply = hub(asked)
            return Reply(200, reply.body, headers=link) if "commits" in asked.path else reply

        with asking(linking) as one:
            by_link = refused(lambda: one.change("7"))
    assert thief.asked == []
    for error in (by_redirect, by_link):
        assert error.cause is Cause.REFUSED
        assert f"points to {thief.url}/" in error.message


def test_redirects_in_a_circle_end():
    with asking(lambda _: Reply(302, b"", headers={"Location": "/again"})) as one:
        assert "redirects more than 3 times" in refused(lambda: one.change("7")).message


def test_a_server_that_repeats_the_token_does_not_make_us_repeat_it():
    with asking(lambda _: said(403, f"token {TOKEN} is not allowed")) as one:
        assert "token *** is not allowed" in refused(lambda: one.change("7")).message


@pytest.mark.parametrize(
    ("held", "told"), [("", "holds no secret"), ("a\nb", "control characters"), ("ü", "ASCII")]
)
def test_a_token_that_was_named_and_is_none_is_refused_unread(held, told):
    with after(environ={"HUB": held}, token_env="HUB") as one:
        assert told in refused(lambda: one.change("7")).message
    assert one.heard == []


def test_an_enterprise_server_is_asked_under_its_prefix():
    with after(prefix="/api/v3") as one:
        one.change("7")
    assert one.heard[0].path == "/api/v3/repos/acme/shop/pulls/7"


def test_the_address_comes_from_the_environment_where_the_file_has_none():
    with answering(FakeGitHub(PullOf())) as server:
        source = GitHub(GitHubSpec(repo="acme/shop"), {"GITHUB_API_URL": f"{server.url}/api/v3/"})
        change, _ = source.both(7, asked().deadline)
    assert change.files == 1


def test_an_address_in_the_environment_that_is_none_is_a_mistake():
    with pytest.raises(UsageError, match="GITHUB_API_URL: an http:// or https:// address"):
        GitHub(GitHubSpec(repo="acme/shop"), {"GITHUB_API_URL": "ghe.example"})
