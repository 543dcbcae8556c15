"""Getting in: what a spec may say, where secrets come from, TLS both ways, basic and bearer."""

from __future__ import annotations

import base64
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import pydantic
import pytest
import requests

from gate.evidence.evidence import Cause
from gate.evidence.source import SourceError, Surroundings
from gate.metric import Kind
from gate.sources.promclient import PromClient, pooled_session
from gate.sources.prometheus import Prometheus
from gate.sources.promspec import Basic, Bearer, PrometheusSpec, Tls, credentials
from tests.parts.broken import HEALTHY
from tests.parts.certificates import certificates
from tests.parts.prometheus import prometheus
from tests.sources.asking import ERRORS, asked, metric

# bcrypt of "test", from https://prometheus.io/docs/guides/basic-auth/
HASH = "$2b$12$hNf2lSsxfm0.i4a.1kVpSOVyBCfIB51VRjgBUyv6kdnyTlgWj81Ay"


@pytest.fixture
def session() -> Iterator[requests.Session]:
    with pooled_session(2) as session:
        yield session


@pytest.fixture(scope="module")
def guarded(tmp_path_factory) -> Iterator[tuple[str, Path]]:
    """A Prometheus that wants a client certificate and a password, and the certificates."""
    folder = tmp_path_factory.mktemp("certificates")
    certificates(folder)
    config = textwrap.dedent(f"""
        tls_server_config:
          cert_file: {folder}/server.pem
          key_file: {folder}/server.key
          client_auth_type: RequireAndVerifyClientCert
          client_ca_file: {folder}/ca.pem
        basic_auth_users:
          gate: {HASH}
        """)
    access = {
        "auth": ("gate", "test"),
        "verify": str(folder / "ca.pem"),
        "cert": (str(folder / "client.pem"), str(folder / "client.key")),
    }
    with prometheus(web_config=config, access=access) as url:
        yield url, folder


def ask(spec: PrometheusSpec, session: requests.Session, **environ: str) -> float:
    client = PromClient(
        spec.url,
        session,
        auth=credentials(spec, environ),
        verify=spec.verify,
        cert=spec.cert,
        headers=spec.headers,
        attempts=1,
    )
    return client.instant("vector(7)", 1_700_000_040, time.monotonic() + 5).points[0].value


def test_a_guarded_server_lets_us_in_with_certificate_and_password(guarded, session):
    url, folder = guarded
    tls = Tls(
        ca_file=folder / "ca.pem", cert_file=folder / "client.pem", key_file=folder / "client.key"
    )
    spec = PrometheusSpec(url=url, tls=tls, basic=Basic(username="gate", password_env="PROM"))
    assert ask(spec, session, PROM="test") == 7

    with pytest.raises(SourceError) as wrong:
        ask(spec, session, PROM="guess")
    assert wrong.value.cause is Cause.REFUSED
    assert "401: Unauthorized" in wrong.value.message
    assert "guess" not in wrong.value.message


def test_a_server_we_cannot_identify_is_not_asked(guarded, session):
    url, folder = guarded
    keys = {"cert_file": folder / "client.pem", "key_file": folder / "client.key"}
    with pytest.raises(SourceError) as stranger:
        ask(PrometheusSpec(url=url, tls=Tls(**keys)), session)
    assert stranger.value.cause is Cause.UNREACHABLE
    assert "certificate verify failed" in stranger.value.message


def test_a_server_that_wants_our_certificate_does_not_talk_without(guarded, session):
    url, folder = guarded
    with pytest.raises(SourceError) as nameless:
        ask(PrometheusSpec(url=url, tls=Tls(ca_file=folder / "ca.pem")), session)
    assert nameless.value.cause is Cause.UNREACHABLE


def test_a_token_is_read_anew_for_each_request(tmp_path, session):
    token = tmp_path / "token"
    with HEALTHY.serving() as server:
        spec = PrometheusSpec(url=server.url, bearer=Bearer(token_file=token))
        for rotated in ("first\n", "second\n"):
            token.write_text(rotated)
            ask(spec, session)
    sent = [asked.headers["Authorization"] for asked in server.asked]
    assert sent == ["Bearer first", "Bearer second"]


def test_credentials_of_other_programs_are_left_alone(tmp_path, monkeypatch, session):
    """requests would take a password for the host from ~/.netrc, even over a bearer token."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    with HEALTHY.serving() as server:
        ask(PrometheusSpec(url=server.url), session)
        ask(PrometheusSpec(url=server.url, bearer=Bearer(token_env="T")), session, T="ours")
    assert [asked.headers.get("Authorization") for asked in server.asked] == [None, "Bearer ours"]


def test_a_user_and_the_tenant_are_sent(session):
    with HEALTHY.serving() as server:
        basic = Basic(username="gate", password_env="P")
        headers = {"X-Scope-OrgID": "team-a|team-b"}
        ask(PrometheusSpec(url=server.url, basic=basic, headers=headers), session, P="pä:ss")
    (asked,) = server.asked
    kind, pair = asked.headers["Authorization"].split()
    assert (kind, base64.b64decode(pair).decode()) == ("Basic", "gate:pä:ss")
    assert asked.headers["X-Scope-OrgID"] == "team-a|team-b"


@pytest.mark.parametrize("content", [None, "", "\n", "two\nlines", "tab\there"])
def test_a_token_that_is_none_is_said_before_anything_is_sent(content, tmp_path, session):
    token = tmp_path / "token"
    if content is not None:
        token.write_text(content)
    with HEALTHY.serving() as server, pytest.raises(SourceError) as caught:
        ask(PrometheusSpec(url=server.url, bearer=Bearer(token_file=token)), session)
    assert caught.value.cause is Cause.REFUSED
    assert str(token) in caught.value.message
    assert "lines" not in caught.value.message
    assert not server.asked


def test_a_token_that_no_header_can_carry_is_not_sent_and_not_shown(session):
    with HEALTHY.serving() as server, pytest.raises(SourceError) as caught:
        ask(PrometheusSpec(url=server.url, bearer=Bearer(token_env="T")), session, T="schlüssel")
    assert caught.value.cause is Cause.REFUSED
    assert "schlüssel" not in caught.value.message
    assert not server.asked


@pytest.mark.parametrize(
    ("spec", "complaint"),
    [
        ({"url": "prometheus:9090"}, "an http:// or https:// address"),
        ({"url": "https://me:secret@prometheus"}, "credentials do not belong in a url"),
        ({"url": "https://prometheus?tenant=a"}, "use params"),
        ({"headers": {"authorization": "Bearer x"}}, "is a secret"),
        ({"params": {"query": "up"}}, "set by the gate"),
        ({"timeout": "0s"}, "greater than 0"),
        ({"attempts": 0}, "greater than or equal to 1"),
        ({"method": "PUT"}, "'POST' or 'GET'"),
        ({"basic": {"username": "a"}}, "give one of password_env and password_file"),
        ({"bearer": {"token_env": "A", "token_file": "b"}}, "give one of token_env and token_file"),
        (
            {"basic": {"username": "a", "password_env": "A"}, "bearer": {"token_env": "B"}},
            "exclude each other",
        ),
        ({"tls": {"key_file": "k"}}, "without cert_file"),
        ({"tls": {"insecure_skip_verify": True}}, "unknown key"),
        ({"headrs": {}}, "unknown key"),
    ],
)
def test_a_spec_that_is_wrong_as_written_is_refused(spec, complaint):
    with pytest.raises(pydantic.ValidationError, match=complaint):
        PrometheusSpec.model_validate({"url": "http://prometheus:9090", **spec})


def test_an_address_may_end_as_people_copy_it():
    for url in ("http://p:9090/", "http://p:9090/api/v1", "http://p:9090/api/v1/"):
        assert PrometheusSpec(url=url).url == "http://p:9090"
    assert PrometheusSpec(url="http://p", timeout="1m30s").timeout == 90.0


def test_files_are_found_beside_the_service_file(tmp_path):
    (tmp_path / "token").write_text("abc")
    spec = PrometheusSpec(
        url="http://p", bearer=Bearer(token_file="token"), tls=Tls(ca_file="/etc/ca.pem")
    )
    placed = spec.beside(tmp_path)
    assert placed.bearer.token_file == tmp_path / "token"
    assert placed.verify == "/etc/ca.pem"


def test_a_source_is_opened_from_a_file_without_asking_anybody(tmp_path):
    (tmp_path / "token").write_text("abc")
    with HEALTHY.serving() as server:
        spec = PrometheusSpec(url=server.url, bearer=Bearer(token_file="token"))
        opened = Prometheus.open(spec, Surroundings(tmp_path, {}))
        assert not server.asked
        opened.pair(metric(Kind.EVENTS, **ERRORS), asked())
    assert {one.headers["Authorization"] for one in server.asked} == {"Bearer abc"}
