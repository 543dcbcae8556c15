"""From a delivery to the answer that GitHub gets for it, against a GitHub that checks all of it."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, datetime

import orjson
import pytest

from gate.ledger.ledger import Kind
from gate.settings import Settings
from gate.surfaces.http.catalogue import catalogue
from gate.surfaces.protection import protection
from tests.http.parts import BAD, EXAMPLE, GOOD, HOUR, STARTED, ask
from tests.protection.apphub import LOST, REPO, REPO_ID, AppHub
from tests.protection.parts import RUN, TAGS, app, payload, waiting
from tests.protection.shapes import check

MINUTE = 60.0


@pytest.fixture
def gate(tmp_path, hub):
    return waiting(tmp_path, hub)


@pytest.fixture(autouse=True)
def heard(caplog):
    caplog.set_level("INFO", "gate.http")


def early(gate, minutes):
    """So many minutes after the canary began: too soon to tell."""
    gate.clock.now = STARTED[GOOD] + 60 * minutes


YOUNG = TAGS.replace("since: 60m", "since: 5m")


def test_a_delivery_is_what_githubs_own_schema_says(hub):
    check("hook-webhook-deployment-protection-rule-requested", payload(hub))


def test_a_canary_that_is_shown_safe_is_approved(gate):
    status, told = gate.deliver()
    assert (status, told["accepted"]) == (202, True)
    assert gate.turn() is None
    assert gate.hub.answers == ["approved"]
    comment = gate.hub.posted[0]["comment"]
    assert comment.startswith("**PROMOTE: checkout v1.8.0 -\\> v1.9.0**")
    assert f"request `{told['id']}`" in comment
    assert gate.protection.waiting == 0


def test_a_canary_that_is_shown_worse_is_rejected(gate):
    gate.clock.now = STARTED[BAD] + HOUR
    gate.deliver(payload(gate.hub, BAD))
    assert gate.turn() is None
    assert gate.hub.answers == ["rejected"]
    assert "shown worse than the margin allows: errors" in gate.hub.posted[0]["comment"]


def test_what_is_not_known_yet_waits_and_is_rejected_at_the_deadline(tmp_path, hub):
    gate = waiting(tmp_path, hub, YOUNG, deadline=MINUTE)
    early(gate, 5)
    gate.deliver()
    assert gate.turn() == 30.0
    assert hub.answers == []
    assert [one.startswith("**HOLD: checkout") for one in hub.told] == [True]
    early(gate, 6)
    assert gate.turn() is None
    assert hub.answers == ["rejected"]
    comment = hub.posted[-1]["comment"]
    assert comment.startswith("**Rejected: no verdict in time**")
    assert "waited 1m for a promote" in comment
    assert "hold: " in comment
    assert comment.count("would change it: ") >= 2
    assert len(comment) <= 1024


def test_after_a_deadline_that_nobody_watched_nothing_is_approved(gate):
    """The canary is safe by now; but the gate was away for too long to say so."""
    gate.clock.now -= HOUR
    gate.deliver()
    gate.clock.now += HOUR
    assert gate.turn() is None
    assert gate.hub.answers == ["rejected"]
    assert "the gate did not run" in gate.hub.posted[0]["comment"]


def test_the_deadline_is_that_of_the_policy_of_its_service(tmp_path, hub):
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "standard.yaml").write_text(
        "apiVersion: gate/v1\nkind: ReleasePolicy\nname: own\nextends: standard\ndeadline: 7m\n"
    )
    gate = waiting(tmp_path, hub, YOUNG)
    settings = Settings(ledger=tmp_path / "ledger.db", timeout=5.0)
    gate.server.its.catalogue = catalogue((EXAMPLE,), tmp_path / "policies", settings, {})
    early(gate, 5)
    gate.deliver()
    early(gate, 12)
    assert gate.turn() is None
    assert hub.answers == ["rejected"]
    assert "waited 7m for a promote" in hub.posted[-1]["comment"]


def test_where_no_policy_is_known_it_is_half_an_hour(gate):
    gate.server.its.catalogue = {}
    gate.deliver()
    gate.clock.now += 30 * MINUTE - 1
    assert gate.turn() == 1.0
    gate.clock.now += 1
    assert gate.turn() is None
    assert "waited 30m for a promote" in gate.hub.posted[-1]["comment"]


def test_a_request_keeps_its_deadline_when_the_policy_has_another_and_after_a_restart(
    tmp_path, hub
):
    gate = waiting(tmp_path, hub, YOUNG, deadline=MINUTE)
    early(gate, 5)
    gate.deliver()
    gate.keep_waiting(86_400.0)
    assert gate.turn() == 30.0
    again = waiting(tmp_path, hub, YOUNG, deadline=86_400.0)
    early(again, 6)
    (work,) = again.protection._journal.unfinished(0.0)
    again.protection._take(work)
    assert again.turn() is None
    assert hub.answers == ["rejected"]


def test_the_last_wait_ends_at_the_deadline(tmp_path, hub):
    gate = waiting(tmp_path, hub, YOUNG, deadline=45.0)
    early(gate, 5)
    gate.deliver()
    assert gate.turn() == 30.0
    gate.clock.now += 30
    assert gate.turn() == 15.0


def test_progress_is_told_when_who_speaks_changes_and_nine_times_at_most(tmp_path, hub):
    gate = waiting(tmp_path, hub, YOUNG, deadline=86_400.0)
    early(gate, 5)
    gate.deliver()
    gate.turn()
    gate.clock.now += 30
    gate.turn()
    assert len(hub.told) == 1  # the same rules spoke
    (work,) = gate.protection._works.values()
    gate.protection._keep(replace(work, told=8))
    services = gate.server.its.catalogue
    for known in ({}, services, {}):
        gate.server.its.catalogue = known
        gate.turn()
    assert [one.partition("\n")[0] for one in hub.told[1:]] == ["**Waiting**"]
    gate.clock.now += 86_400
    gate.turn()
    assert hub.answers == ["rejected"]  # the tenth is taken


def test_a_redelivery_is_taken_once(gate):
    guid = "72d3162e-cc78-11e3-81ab-4c9367dc0958"
    assert gate.deliver(guid=guid)[0] == 202
    status, told = gate.deliver(guid=guid)
    assert (status, told["accepted"], told["reason"]) == (
        200,
        False,
        "this request was taken before",
    )
    gate.turn()
    assert gate.deliver(guid=guid)[0] == 200
    assert gate.turn() is None
    assert gate.hub.answers == ["approved"]


def test_replayed_under_other_ids_a_request_gets_no_later_deadline(tmp_path, hub):
    gate = waiting(tmp_path, hub, YOUNG, deadline=MINUTE)
    early(gate, 5)
    first = gate.deliver()[1]["id"]
    gate.turn()
    early(gate, 6)
    assert gate.deliver()[0] == 200
    assert gate.turn() is None
    assert hub.answers == ["rejected"]
    assert first in hub.posted[-1]["comment"]


def test_a_run_that_is_run_again_is_asked_about_anew(gate):
    gate.deliver()
    gate.turn()
    gate.hub.wait(RUN)
    again = payload(gate.hub, deployment=901)  # GitHub makes another one for it
    assert gate.deliver(again)[0] == 202
    gate.turn()
    assert gate.hub.answers == ["approved", "approved"]


def test_replayed_under_another_id_what_has_ended_is_not_begun_again(gate):
    """The id of a delivery is not signed: whoever saw one could send it as a new one."""
    body = payload(gate.hub)
    assert gate.deliver(body, guid="first")[0] == 202
    gate.turn()
    gate.hub.wait(RUN)
    asked = list(gate.hub.asked)
    for guid in ("second", "first"):
        status, told = gate.deliver(body, guid=guid)
        assert (status, told["reason"]) == (200, "this request was taken before")
    assert gate.turn() is None
    assert gate.protection.waiting == 0
    assert gate.hub.asked == asked
    entries = list(gate.server.ledger.entries(None, None, Kind.PROTECTION))
    stored = [orjson.loads(one.record.body).get("delivery") for one in entries]
    assert [one for one in stored if one] == ["first"]


def test_where_no_deployment_is_told_a_delivery_is_known_by_its_id(gate):
    body = payload(gate.hub) | {"deployment": None}
    assert gate.deliver(body, guid="first")[0] == 202
    gate.turn()
    assert gate.deliver(body, guid="first")[0] == 200
    gate.hub.wait(RUN)
    assert gate.deliver(body, guid="second")[0] == 202


def test_nothing_to_approve_yet_is_tried_again(gate):
    gate.hub.faults = [422, 422]
    gate.deliver()
    assert gate.turn() == 2.0
    assert gate.turn() == 4.0
    assert gate.turn() is None
    assert gate.hub.answers == ["approved"]


def test_github_says_itself_when_to_come_again(gate):
    gate.hub.faults, gate.hub.retry_after = [429], "77"
    gate.deliver()
    assert gate.turn() == 77.0


def test_a_policy_that_only_observes_keeps_nobody_waiting(tmp_path, hub):
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "standard.yaml").write_text(
        "apiVersion: gate/v1\nkind: ReleasePolicy\nname: standard\nmode: observe\nrules:\n"
        "  - {name: safe, when: analysis.safe, then: promote, message: shown safe}\n"
        "  - {name: worse, when: size(analysis.worse) > 0, then: rollback, message: worse}\n"
    )
    gate = waiting(tmp_path, hub)
    settings = Settings(ledger=tmp_path / "ledger.db", timeout=5.0)
    gate.server.its.catalogue = catalogue((EXAMPLE,), tmp_path / "policies", settings, {})
    gate.clock.now = STARTED[BAD] + HOUR
    gate.deliver(payload(hub, BAD))
    assert gate.turn() is None
    assert hub.answers == ["approved"]
    assert hub.posted[0]["comment"].startswith("**OBSERVED ROLLBACK (not enforced): checkout")


def test_an_answer_that_was_lost_on_its_way_back_is_not_given_twice(gate):
    gate.hub.faults = [LOST]
    gate.deliver()
    assert gate.turn() == 2.0
    assert gate.turn() is None
    assert gate.hub.answers == ["approved"]
    assert sum(one.startswith("POST") and one.endswith("rule") for one in gate.hub.asked) == 1


def test_a_comment_on_the_way_is_not_taken_for_the_answer(tmp_path, hub):
    gate = waiting(tmp_path, hub, YOUNG, deadline=MINUTE)
    early(gate, 5)
    gate.deliver()
    gate.turn()
    assert len(hub.told) == 1
    early(gate, 6)
    hub.faults = [503]
    assert gate.turn() == 2.0
    assert gate.turn() is None
    assert hub.answers == ["rejected"]


def test_what_a_cancelled_run_never_takes_is_given_up_and_may_be_delivered_again(gate, caplog):
    gate.hub.waiting.clear()
    gate.deliver(guid="a")
    while (pause := gate.turn()) is not None:
        gate.clock.now += pause
    assert gate.hub.answers == []
    ends = [one for one in gate.log(caplog, "protection") if one["step"] == "given up"]
    assert "the run may be cancelled" in ends[0]["why"]
    gate.hub.wait(RUN)
    gate.clock.now = STARTED[GOOD] + HOUR + 1  # the recording ends here
    assert gate.deliver(guid="a")[0] == 202
    assert gate.turn() is None
    assert gate.hub.answers == ["approved"]
    assert [gate.deliver(guid=guid)[0] for guid in ("a", "b")] == [200, 200]


def test_github_down_for_a_while_is_waited_for(gate):
    gate.deliver()
    gate.hub.down = True
    assert gate.turn() == 30.0  # the baseline is not known without it
    assert gate.server.get("/readyz")[1]["github"] == "failing: server error"
    gate.hub.down = False
    assert gate.turn() is None
    assert gate.hub.answers == ["approved"]
    assert gate.server.get("/readyz")[1]["github"] == "answering"


def test_down_until_after_the_deadline_the_answer_is_still_given(gate):
    gate.deliver()
    gate.hub.down = True
    gate.turn()
    gate.clock.now += HOUR
    assert gate.turn() is not None
    gate.hub.down = False
    assert gate.turn() is None
    assert gate.hub.answers == ["rejected"]
    assert "Service Unavailable" in gate.hub.posted[-1]["comment"]


def test_an_approval_that_github_did_not_take_in_time_is_judged_again(gate, tmp_path):
    gate.hub.faults = [500] * 3
    gate.deliver()
    gate.turn()
    gate.clock.now += 5 * MINUTE + 1
    assert gate.turn() == 0.0
    assert gate.turn() == 30.0  # the recording ends before, so nothing promotes any more
    assert gate.hub.answers == []
    (work,) = gate.protection._journal.unfinished(0.0)
    assert (work.answer, work.withdrawn) == (None, 1)
    gate.hub.faults.clear()
    gate.clock.now += HOUR
    assert gate.turn() is None
    assert gate.hub.answers == ["rejected"]


def test_an_approval_that_a_clock_set_back_makes_younger_is_judged_again(gate):
    gate.hub.faults = [500]
    gate.deliver()
    gate.turn()
    gate.clock.now -= HOUR
    assert gate.turn() == 0.0
    assert gate.hub.answers == []


def test_what_the_file_says_of_the_environment_now_is_asked_at_the_next_look(tmp_path, hub):
    gate = waiting(tmp_path, hub, YOUNG, deadline=2 * 24 * HOUR)
    early(gate, 5)
    gate.deliver()
    assert gate.turn() == 30.0
    gate.server.its.github = app(tmp_path, hub, TAGS.replace("{{ref}}", "v1.9.1"))
    gate.clock.now = STARTED[BAD] + HOUR
    assert gate.turn() is None
    assert "ROLLBACK: checkout v1.8.0 -\\> v1.9.1" in hub.posted[-1]["comment"]


def test_an_environment_that_is_taken_out_of_the_file_is_rejected(tmp_path, hub):
    gate = waiting(tmp_path, hub, YOUNG)
    early(gate, 5)
    gate.deliver()
    gate.turn()
    gate.server.its.github = replace(gate.server.its.github, environments=())
    assert gate.turn() is None
    assert hub.answers == ["rejected"]
    assert "knows no environment production" in hub.posted[-1]["comment"]


def test_a_token_of_one_github_is_not_sent_to_another(gate, hub):
    gate.deliver()
    gate.hub.faults = [503]
    gate.turn()
    before = set(hub.tokens)
    with AppHub(clock=gate.clock).serving() as other:
        gate.server.its.github = replace(gate.server.its.github, url=other.url)
        other.wait(RUN)
        gate.turn()
        assert other.answers == ["approved"]
        assert "POST /app/installations/77/access_tokens" in other.asked
    assert set(hub.tokens) == before


def test_an_old_approval_that_github_has_is_not_withdrawn(gate):
    gate.hub.faults = [LOST]
    gate.deliver()
    gate.turn()
    gate.clock.now += HOUR
    assert gate.turn() is None
    assert gate.hub.answers == ["approved"]


def test_stopped_with_an_approval_and_back_too_late_it_rejects(gate):
    gate.hub.faults = [500]
    gate.deliver()
    gate.turn()
    (work,) = gate.protection._journal.unfinished(0.0)  # as after a restart
    gate.protection._take(work)
    gate.clock.now += 2 * HOUR
    assert gate.turn() == 0.0
    assert gate.turn() is None
    assert gate.hub.answers == ["rejected"]
    assert "did not take an approval in time" in gate.hub.posted[0]["comment"]


def test_a_full_disk_at_the_deadline_is_told_once(gate, monkeypatch):
    gate.hub.down = True
    gate.deliver()
    gate.turn()
    gate.hub.down = False
    gate.clock.now += HOUR
    path = gate.server.ledger.path
    path.rename(path.with_suffix(".away"))
    path.mkdir()
    for _ in range(3):
        assert gate.protection._safely((REPO_ID, RUN, "production")) == 30.0
    path.rmdir()
    path.with_suffix(".away").rename(path)
    assert gate.turn() is None
    assert gate.hub.posted[-1]["comment"].count("waited 30m") == 1


def test_a_delivery_without_installation_finds_it(gate):
    assert gate.deliver(payload(gate.hub) | {"installation": None})[0] == 202
    assert gate.turn() is None
    assert f"GET /repos/{REPO}/installation" in gate.hub.asked
    assert gate.hub.answers == ["approved"]


def test_an_app_that_is_not_installed_there_says_what_to_do(gate, caplog):
    gate.hub.installed.clear()
    gate.deliver()
    gate.turn()
    assert "install the App on the repository" in gate.log(caplog, "protection fault")[0]["why"]
    gate.clock.now += HOUR
    while (pause := gate.turn()) is not None:
        gate.clock.now += pause
    assert (
        'gate_protection_steps_total{step="given up"} 1.0'
        in gate.server.its.metrics.text().decode()
    )


@pytest.mark.parametrize(
    "left_out", [{"deployment": None}, {"deployment": {"id": 3}}, {"deployment": {"sha": None}}]
)
def test_without_a_commit_it_is_rejected_with_that_reason(gate, left_out):
    assert gate.deliver(payload(gate.hub) | left_out)[0] == 202
    assert gate.turn() is None
    assert gate.hub.answers == ["rejected"]
    assert "GitHub told no commit" in gate.hub.posted[0]["comment"]


def test_an_environment_the_file_does_not_know_is_rejected_and_not_left_waiting(gate):
    gate.hub.wait(RUN, "staging")
    gate.deliver(payload(gate.hub) | {"environment": "staging"})
    assert gate.turn(environment="staging") is None
    assert gate.hub.answers == ["rejected"]
    assert "the gate knows no environment staging of acme/shop" in gate.hub.posted[0]["comment"]


def test_without_an_earlier_deployment_there_is_no_baseline(gate):
    gate.hub.deployed = [one for one in gate.hub.deployed if one.ref in ("v1.8.1", GOOD)]
    gate.deliver()
    assert gate.turn() is None
    assert gate.hub.answers == ["rejected"]
    assert (
        "no other commit was deployed to production successfully" in gate.hub.posted[0]["comment"]
    )


def test_the_baseline_may_come_from_another_environment(tmp_path, hub):
    gate = waiting(tmp_path, hub, f"{TAGS}    stable: live\n")
    hub.deployed[1].environment = "live"
    gate.deliver()
    gate.turn()
    assert hub.answers == ["approved"]


def test_one_token_serves_until_it_is_about_to_expire(gate):
    def fetched():
        return sum(one.endswith("/access_tokens") for one in gate.hub.asked)

    for run in (RUN, RUN + 1):
        gate.hub.wait(run)
        gate.deliver(payload(gate.hub, run=run))
        gate.turn(run)
    assert fetched() == 1
    for run, later, tokens in ((RUN + 2, 54, 1), (RUN + 3, 2, 2)):
        gate.clock.now += later * MINUTE
        gate.deliver(payload(gate.hub, run=run))
        gate.turn(run)
        assert fetched() == tokens


def test_a_token_that_was_revoked_is_replaced(gate):
    gate.deliver()
    gate.hub.faults = [503]
    gate.turn()
    gate.hub.tokens.clear()
    while (pause := gate.turn()) is not None:
        gate.clock.now += pause
    assert gate.hub.answers == ["approved"]


def test_a_key_that_is_not_the_apps_is_a_fault_that_names_it(tmp_path, gate, caplog):
    from cryptography.hazmat.primitives.asymmetric import rsa

    from gate.surfaces.protection.app_file import load
    from tests.protection.apphub import pem
    from tests.protection.parts import ENVIRON

    (tmp_path / "app.pem").write_bytes(pem(rsa.generate_private_key(65_537, 2048)))
    gate.server.its.github = load(tmp_path / "github.yaml", ["checkout"], ENVIRON)
    gate.deliver()
    gate.turn()
    faults = gate.log(caplog, "protection fault")
    assert "check the id and the key of the App" in faults[0]["why"]
    assert not any("eyJ" in one.message or "ghs_" in one.message for one in caplog.records)


def test_no_redirect_is_followed(gate, hub):
    gate.deliver()
    with AppHub(clock=gate.clock).serving() as elsewhere:
        hub.moved_to = elsewhere.url
        gate.turn()
        gate.clock.now += HOUR
        gate.turn()
        assert elsewhere.asked == []


def test_it_goes_on_after_a_restart_with_what_the_ledger_holds(tmp_path, hub):
    gate = waiting(tmp_path, hub, YOUNG)
    early(gate, 5)
    gate.deliver()
    gate.turn()
    again = waiting(tmp_path, hub, YOUNG)
    early(again, 6)
    (work,) = again.protection._journal.unfinished(0.0)
    assert (work.told, work.answer) == (1, None)
    again.protection._take(work)
    assert again.turn() == 30.0
    assert len(hub.told) == 1  # nothing new
    again.clock.now = STARTED[GOOD] + HOUR
    assert again.turn() is None
    assert hub.answers == ["rejected"]
    assert again.protection._journal.unfinished(0.0) == []


def test_what_an_old_server_took_meanwhile_the_new_one_finds(tmp_path, hub, monkeypatch):
    monkeypatch.setattr(protection, "ADOPTS", 0.05)
    answered = threading.Event()
    hub.then = answered.set
    new, old = waiting(tmp_path, hub), waiting(tmp_path, hub)
    new.protection.start()
    old.deliver()
    assert answered.wait(20)
    assert hub.answers == ["approved"]


def test_two_servers_with_the_same_request_tell_and_answer_once(tmp_path, hub):
    both = [waiting(tmp_path, hub, YOUNG), waiting(tmp_path, hub, YOUNG)]
    for gate in both:
        early(gate, 5)
    both[0].deliver()
    both[1].protection.adopt()
    assert [gate.turn() for gate in both] == [30.0, 30.0]
    assert len(hub.told) == 1
    for gate in both:
        gate.clock.now += HOUR
    assert [gate.turn() for gate in both] == [None, None]
    assert hub.answers == ["rejected"]
    assert [gate.protection.waiting for gate in both] == [0, 0]


def test_whoever_asks_about_the_same_rollout_shares_the_decision(gate):
    gate.deliver()
    gate.turn()
    since = datetime.fromtimestamp(STARTED[GOOD], UTC).isoformat()
    _, told = gate.server.post("/v1/decisions", ask(GOOD, since=since))
    assert told["id"] in gate.hub.posted[0]["comment"]


def test_what_is_under_way_is_no_news(gate):
    gate.server.its.lanes.close(0.0)
    gate.deliver()
    assert gate.turn() == 30.0
    assert gate.hub.posted == []
