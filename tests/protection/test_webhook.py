"""What the webhook takes, what it refuses, and that no token goes where it should not."""

from __future__ import annotations

import logging

import orjson
import pytest

from gate.surfaces.http.signatures import signature, signed
from tests.http.parts import running
from tests.protection.parts import OLD, RUN, delivery, payload, waiting


@pytest.fixture
def gate(tmp_path, hub):
    return waiting(tmp_path, hub)


def test_githubs_own_example_of_a_signature():
    # docs.github.com, "Validating webhook deliveries": "Testing the webhook payload validation"
    secret, body = "It's a Secret to Everybody", b"Hello, World!"
    known = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    assert signature(body, secret) == known
    assert signed(body, known, [secret])
    assert signed(body, known, ["another", secret])
    assert not signed(body, known, ["another"])
    assert not signed(body, known, [])
    assert not signed(body + b" ", known, [secret])
    assert not signed(body, known.upper(), [secret])
    assert not signed(body, "", [secret])
    assert not signed(body, "sha256=ä", [secret])


def test_either_secret_signs_while_one_takes_the_others_place(gate):
    assert gate.deliver(secret=OLD)[0] == 202
    assert gate.deliver(payload(gate.hub, run=RUN + 1))[0] == 202
    assert gate.deliver(secret="neither")[0] == 401


@pytest.mark.parametrize("header", [None, "", "sha256=", "sha1=00", "sha256=" + "0" * 64])
def test_what_is_not_signed_is_refused_before_it_is_read(gate, header):
    raw, headers = delivery(payload(gate.hub))
    headers["X-Hub-Signature-256"] = header
    told = {name: text for name, text in headers.items() if text is not None}
    answer = gate.server.client.post("/v1/github/webhook", data=b"{no json" + raw, headers=told)
    assert answer.status_code == 401
    assert gate.protection.waiting == 0


def test_a_byte_changed_on_the_way_is_refused(gate):
    raw, headers = delivery(payload(gate.hub))
    changed = raw.replace(b'"environment":"production"', b'"environment":"Production"')
    assert changed != raw
    answer = gate.server.client.post("/v1/github/webhook", data=changed, headers=headers)
    assert answer.status_code == 401


@pytest.mark.parametrize(
    "callback",
    [
        "https://evil.example/repos/acme/shop/actions/runs/5/deployment_protection_rule",
        "{hub}@evil.example/repos/acme/shop/actions/runs/5/deployment_protection_rule",
        "{url}/repos/acme/other/actions/runs/5/deployment_protection_rule",
        "{url}/repos/acme/shop/actions/runs/5/approvals",
        "{url}/repos/acme/shop/actions/runs/5/deployment_protection_rule/..",
        "{url}/repos/acme/shop/actions/runs/5x/deployment_protection_rule",
        "{url}/repos/acme/shop/actions/runs/\u0665/deployment_protection_rule",
        "{url}/repos/acme/shop/../shop/actions/runs/5/deployment_protection_rule",
        "{url}/repos/acme/shop/actions/runs/5/deployment_protection_rule?x=1",
        "{url}/repos/acme/shop/actions/runs/5/deployment_protection_rule#x",
        "{url}//repos/acme/shop/actions/runs/5/deployment_protection_rule",
        "https{hub}/repos/acme/shop/actions/runs/5/deployment_protection_rule",
        "http://127.0.0.1:1/repos/acme/shop/actions/runs/5/deployment_protection_rule",
        "http://127.0.0.1:x/repos/acme/shop/actions/runs/5/deployment_protection_rule",
        "http://[/repos/acme/shop/actions/runs/5/deployment_protection_rule",
        "/repos/acme/shop/actions/runs/5/deployment_protection_rule",
        "",
        None,
    ],
)
def test_a_callback_that_leads_elsewhere_is_refused_and_no_token_is_made(gate, callback):
    url = gate.hub.url
    if callback:
        callback = callback.replace("{url}", url).replace("{hub}", url.removeprefix("http"))
    body = payload(gate.hub) | {"deployment_callback_url": callback}
    status, told = gate.deliver(body)
    assert status == 422
    assert "deployment_callback_url" in told["error"]["reason"]
    assert gate.hub.asked == []
    assert gate.protection.waiting == 0
    assert 'step="refused"} 1.0' in gate.server.its.metrics.text().decode()


def test_the_api_of_an_enterprise_server_has_a_path(tmp_path, hub):
    hub.prefix = "/api/v3"
    hub.url += "/api/v3"
    gate = waiting(tmp_path, hub)
    assert gate.deliver()[0] == 202
    assert gate.turn() is None
    assert hub.answers == ["approved"]
    outside = payload(hub)["deployment_callback_url"].replace("/api/v3", "")
    assert gate.deliver(payload(hub) | {"deployment_callback_url": outside})[0] == 422


@pytest.mark.parametrize("environment", [None, ""])
def test_without_an_environment_there_is_nothing_to_answer(gate, environment):
    status, told = gate.deliver(payload(gate.hub) | {"environment": environment})
    assert (status, told["error"]["reason"]) == (422, "the delivery names no environment")


def test_all_that_is_sure_to_be_there_is_not_enough_and_no_crash(gate):
    whole = payload(gate.hub)
    body = {name: whole[name] for name in ("action", "repository", "sender")}
    assert gate.deliver(body)[0] == 422


def test_what_asks_for_nothing_is_answered_200(gate):
    for event in ("ping", "installation", ""):
        status, told = gate.deliver({"zen": "Keep it logically awesome."}, event=event)
        assert (status, told["accepted"], told["id"]) == (200, False, None)
    assert gate.deliver(payload(gate.hub) | {"action": "done"})[0] == 200


@pytest.mark.parametrize("body", [[], {}, {"action": 1}, {"action": "requested"}, "x"])
def test_a_signed_body_of_another_form_is_400(gate, body):
    assert gate.deliver(body)[0] == 400


@pytest.mark.parametrize("full_name", ["acme", "acme/shop/x", "acme/..", "ac me/shop", ""])
def test_a_repository_with_a_name_that_is_none_is_400(gate, full_name):
    body = payload(gate.hub)
    body["repository"]["full_name"] = full_name
    assert gate.deliver(body)[0] == 400


def test_a_form_instead_of_json_says_what_to_set(gate):
    raw, headers = delivery(payload(gate.hub))
    headers["Content-Type"] = "application/x-www-form-urlencoded"
    answer = gate.server.client.post("/v1/github/webhook", data=raw, headers=headers)
    assert answer.status_code == 415
    assert "content type of the App's webhook" in orjson.loads(answer.data)["error"]["hint"]


def test_a_delivery_without_its_id_is_400(gate):
    raw, headers = delivery(payload(gate.hub))
    del headers["X-GitHub-Delivery"]
    answer = gate.server.client.post("/v1/github/webhook", data=raw, headers=headers)
    assert answer.status_code == 400


def test_a_server_that_is_no_app_says_so(tmp_path, hub):
    raw, headers = delivery(payload(hub))
    server = running(tmp_path)
    answer = server.client.post("/v1/github/webhook", data=raw, headers=headers)
    assert answer.status_code == 401
    assert "this server is no GitHub App" in answer.text
    assert server.get("/readyz")[1]["github"] == "not set up"


def test_what_cannot_be_stored_is_not_taken(gate):
    gate.server.ledger.path.mkdir()
    assert gate.deliver()[0] == 503
    gate.server.ledger.path.rmdir()
    assert gate.deliver()[0] == 202


def test_neither_secrets_nor_tokens_are_logged_or_stored(gate, caplog):
    caplog.set_level(logging.DEBUG)
    gate.hub.faults = [500, 403]
    gate.deliver()
    for _ in range(3):
        gate.turn()
    assert gate.hub.answers == ["approved"]
    said = caplog.text.encode() + gate.server.ledger.path.read_bytes()
    for one in (*gate.hub.tokens, *gate.protection._app().secrets, "BEGIN RSA"):
        assert one.encode() not in said
    assert repr(gate.protection._app()).count("key") == 0


def test_the_ledger_tells_the_whole_story(gate, capfd):
    from gate.surfaces.cli.main import run

    gate.deliver()
    gate.turn()
    assert gate.server.ledger.verify().faults == ()
    arguments = ["--ledger", str(gate.server.ledger.path), "--kind", "protection"]
    assert run(["ledger", "list", *arguments, "--format", "json"]) == 0
    told = capfd.readouterr().out
    assert [told.count(f'"{one}"') for one in ("requested", "approved", "posted")] == [1, 1, 1]
