"""Real transfers between real phones: every kind with every outcome. The truth is what the phones
ring and hear; nobody is ever left alone."""

import pytest

from lib.client import assert_error
from lib.lonely import Lonely
from lib.process import wait_until
from lib.sip import Answerer, Refuser
from lib.transfers import BASE, Scene


@pytest.fixture(scope="module", autouse=True)
def nobody_is_left_alone(office):
    lonely = Lonely(office.stack, office.stack.redis_client())
    yield
    lonely.check()


@pytest.fixture
def scene(office, ledger):
    return Scene(office, ledger)


# --- blind

def test_blind_answered(scene):
    transfer = scene.transfer("blind", target="1003")
    scene.eve.phone.rings(scene.began)
    scene.ann.phone.is_free(scene.began)
    shown = transfer.becomes("ringing")
    assert (shown["from"], shown["customer"], shown["to"]) == ("1001", "1002", "1003")
    assert_error(begin_again(scene), 409, "transfer_under_way")
    assert_error(transfer.ask("toggle"), 409, "not_possible_now")
    scene.eve.phone.answer()
    shown = transfer.becomes("completed")
    assert shown["requestedAt"] <= shown["ringingAt"] <= shown["answeredAt"] <= shown["endedAt"]
    scene.told(transfer, "requested", "dialing", "ringing", "completed", "completed")
    scene.together("1002", "1003")
    assert_error(transfer.ask("cancel"), 410, "transfer_over")
    moved = [event for event in scene.ledger.events(scene.call_id)
             if event["eventType"] == "call:transferred"]
    assert [(each["data"]["from"], each["data"]["to"]) for each in moved] == [("1001", "1003")]


def begin_again(scene):
    return scene.ann.rest.post(f"{BASE}/blind", {"callId": scene.call_id, "target": "1004"})


def test_blind_busy(scene):
    transfer = scene.transfer("blind", target="1003")
    scene.eve.phone.rings(scene.began)
    scene.eve.phone.hangup()
    scene.back_at_the_agent(transfer, "busy")


def test_blind_not_answered(scene):
    transfer = scene.transfer("blind", target="1003", timeoutS=1)
    scene.eve.phone.rings(scene.began)
    scene.back_at_the_agent(transfer, "no_answer")


def test_blind_to_a_phone_that_is_not_there(scene):
    transfer = scene.transfer("blind", target="1010")
    scene.back_at_the_agent(transfer, "unreachable")


def test_blind_declined(scene, stack):
    address = f"{stack.prefix}.98"
    phone = Refuser(address, "603 Decline")
    stack.sql(f"UPDATE ps_aors SET contact = 'sip:1010@{address}:5060' WHERE id = '1010'")
    try:
        transfer = scene.transfer("blind", target="1010")
        scene.back_at_the_agent(transfer, "declined")
    finally:
        stack.sql("UPDATE ps_aors SET contact = NULL WHERE id = '1010'")
        phone.close()


def test_nobody_takes_the_customer(scene):
    """Target and agent refuse: the customer waits in the fall-back queue, not in silence."""
    transfer = scene.transfer("blind", target="1010")
    scene.ann.phone.rings(scene.began)
    scene.ann.phone.hangup()
    transfer.becomes("rolled_back")
    wait_until(lambda: "PJSIP/1002" in scene.office.stack.cli("queue show support"),
               what="1002 waits in the queue")


def test_without_fall_back_the_customer_is_told(scene):
    transfer = scene.transfer("blind", target="1010", fallBack=False)
    scene.bob.phone.is_free(scene.began)
    assert transfer.becomes("failed")["reason"] == "unreachable"


def test_blind_cancelled(scene):
    transfer = scene.transfer("blind", target="1003")
    scene.eve.phone.rings(scene.began)
    transfer.becomes("ringing")
    transfer.does("cancel")
    scene.eve.phone.is_free(scene.began)
    scene.ann.phone.rings(scene.began)
    scene.ann.phone.answer()
    transfer.becomes("cancelled")
    scene.together("1001", "1002")


def test_the_customer_hangs_up_while_it_rings(scene):
    transfer = scene.transfer("blind", target="1003")
    scene.eve.phone.rings(scene.began)
    transfer.becomes("ringing")
    scene.bob.phone.hangup()
    assert transfer.becomes("abandoned")["reason"] == "customer_hung_up"
    scene.eve.phone.is_free(scene.began)


# --- elsewhere

def test_to_a_place_of_the_dialplan(scene):
    transfer = scene.transfer("blind", target="602", context="services")
    transfer.becomes("completed")
    answer = scene.ann.rest.post(f"{BASE}/blind", {"callId": scene.call_id, "target": "1",
                                                   "context": "outside-dial"})
    assert_error(answer, 403, "context_not_allowed")


def test_to_the_outside_that_is_busy(scene, stack):
    provider = Refuser(f"{stack.prefix}.99", "486 Busy Here")
    try:
        transfer = scene.transfer("external", target="74951234567")
        scene.back_at_the_agent(transfer, "busy")
    finally:
        provider.close()


def test_to_the_outside(scene, stack):
    provider = Answerer(f"{stack.prefix}.99")
    try:
        transfer = scene.transfer("external", target="74951234567")
        transfer.becomes("completed")
        scene.ann.phone.is_free(scene.began)
        scene.together("1002", "trun")
        scene.bob.phone.hangup()
        scene.ledger.ended(scene.call_id)
    finally:
        provider.close()


@pytest.fixture
def queue(stack):
    """short has 1003 as a member."""
    stack.cli("queue add member PJSIP/1003 to short")
    yield "short"
    stack.cli("queue remove member PJSIP/1003 from short")


def test_to_a_queue_that_answers(scene, queue):
    transfer = scene.transfer("queue", queue=queue, timeoutS=20, priority=5)
    scene.eve.phone.rings(scene.began)
    transfer.becomes("queued")
    scene.eve.phone.answer()
    transfer.becomes("completed")
    scene.together("1002", "1003")
    shown = scene.bob.call(scene.call_id)
    assert shown["queue"]["name"] == "short" and shown["queue"]["outcome"] == "answered"


def test_to_a_queue_where_nobody_is(scene):
    transfer = scene.transfer("queue", queue="short", timeoutS=1)
    scene.back_at_the_agent(transfer, "timeout")


# --- managed

@pytest.mark.parametrize("how", ["complete", "hang up"])
def test_managed_and_handed_over(scene, how):
    transfer = scene.consults()
    if how == "complete":
        transfer.does("complete")
    else:
        scene.ann.phone.hangup()
    transfer.becomes("completed")
    scene.together("1002", "1003")
    # When the agent hangs up the others may be joined before its end is told.
    told = [state for _, state in transfer.told(scene.ledger.redis)]
    assert [state for state in told if how == "complete" or state != "completing"] == [
        "requested", "consulting", "ringing", "answered", *["completing"] * (how == "complete"), "completed"]
    scene.ledger.settle()
    shown = scene.bob.call(scene.call_id)
    assert [(each["by"], each["transferee"], each["to"]) for each in shown["transfers"]] == [
        ("1001", "1002", "1003")]
    assert [each["kind"] for each in shown["segments"]] == ["dial", "consultation", "transfer"]


@pytest.mark.parametrize("how", ["complete", "hang up"])
def test_managed_and_handed_over_while_it_rings(scene, how):
    transfer = scene.transfer("managed", target="1003")
    scene.eve.phone.rings(scene.began)
    transfer.becomes("ringing")
    if how == "complete":
        transfer.does("complete")
    else:
        scene.ann.phone.hangup()
    scene.ann.phone.is_free(scene.began)
    wait_until(lambda: transfer.shown()["state"] == "ringing"
               and [state for _, state in transfer.told(scene.ledger.redis)].count("ringing") == 2,
               what="1003 rings for 1002")
    scene.eve.phone.answer()
    transfer.becomes("completed")
    scene.together("1002", "1003")


@pytest.mark.parametrize("kind", ["blind", "managed"])
def test_from_hold(scene, kind):
    scene.ann.hold(scene.call_id)
    scene.ann.sees(scene.call_id, "held")
    transfer = scene.transfer(kind, target="1003")
    scene.eve.phone.rings(scene.began)
    transfer.becomes("ringing")
    scene.eve.phone.answer()
    if kind == "managed":
        transfer.becomes("answered")
        assert scene.ann.state(scene.call_id) == "transferring"
        scene.ann.phone.hangup()
    transfer.becomes("completed")
    scene.together("1002", "1003")


def test_managed_and_the_target_is_busy(scene):
    transfer = scene.transfer("managed", target="1003")
    scene.eve.phone.rings(scene.began)
    scene.eve.phone.hangup()
    assert transfer.becomes("rolled_back")["reason"] == "busy"
    scene.together("1001", "1002")


def test_managed_to_a_phone_that_is_not_there(scene):
    transfer = scene.transfer("managed", target="1010")
    assert transfer.becomes("rolled_back")["reason"] == "unreachable"
    scene.together("1001", "1002")


def test_managed_and_the_target_hangs_up(scene):
    transfer = scene.consults()
    scene.eve.phone.hangup()
    assert transfer.becomes("rolled_back")["reason"] == "target_hung_up"
    scene.together("1001", "1002")
    scene.ann.phone.hangup()
    scene.bob.phone.is_free(scene.began)


@pytest.mark.parametrize("state", ["ringing", "answered"])
def test_managed_and_cancelled(scene, state):
    if state == "answered":
        transfer = scene.consults()
    else:
        transfer = scene.transfer("managed", target="1003")
        transfer.becomes("ringing")
    transfer.does("cancel")
    transfer.becomes("cancelled")
    scene.eve.phone.is_free(scene.began)
    scene.together("1001", "1002")
    assert scene.ann.call(scene.call_id)["transfers"] == []


def test_managed_and_the_customer_hangs_up(scene):
    transfer = scene.consults()
    scene.bob.phone.hangup()
    transfer.becomes("abandoned")
    scene.together("1001", "1003")


def test_toggled_and_handed_over(scene):
    transfer = scene.consults()
    for speaks in (True, False, True):
        transfer.does("toggle")
        wait_until(lambda now=speaks: transfer.shown()["withCustomer"] == now, what="toggled")
    scene.ann.phone.hangup()
    transfer.becomes("completed")
    scene.together("1002", "1003")


def test_a_toggled_target_hangs_up(scene):
    transfer = scene.consults()
    transfer.does("toggle")
    wait_until(lambda: transfer.shown()["withCustomer"], what="toggled")
    scene.eve.phone.hangup()
    transfer.becomes("rolled_back")
    scene.together("1001", "1002")


def test_all_three_until_one_is_left(scene):
    transfer = scene.consults()
    transfer.does("conference")
    assert transfer.becomes("completed")["conference"]
    scene.together("1001", "1002", "1003")
    scene.ann.phone.hangup()
    scene.together("1002", "1003")
    scene.bob.phone.hangup()
    scene.eve.phone.is_free(scene.began)


# --- by a phone itself

def test_a_phone_transfers_by_itself(scene):
    scene.bob.phone.transfer("1003")
    scene.eve.phone.rings(scene.began)
    scene.eve.phone.answer()

    def completed():
        listed = scene.bob.rest.get(f"{BASE}/enhanced-status?callId={scene.call_id}").json()
        return [each for each in listed["transfers"] if each["state"] == "completed"]
    (shown,) = wait_until(completed, what="it is completed")
    assert (shown["kind"], shown["from"], shown["to"]) == ("phone_blind", "1002", "1003")


# --- who may, and of what

def test_what_is_not_ones_own(scene):
    eve = scene.eve.rest
    assert_error(eve.post(f"{BASE}/blind", {"callId": scene.call_id, "target": "1004"}), 403,
                 "not_your_call")
    assert_error(eve.post(f"{BASE}/blind", {"callId": "1.1", "target": "1004"}), 404,
                 "call_not_found")
    transfer = scene.transfer("blind", target="1003")
    assert_error(eve.get(f"{BASE}/{transfer.id}/state"), 403, "not_your_transfer")
    assert_error(eve.delete(f"{BASE}/{transfer.id}"), 403, "not_your_transfer")
    transfer.becomes("ringing")
    scene.bob.phone.hangup()
    transfer.becomes("abandoned")
    scene.ledger.ended(scene.call_id)
    assert_error(begin_again(scene), 410, "call_ended")


# --- killed in the middle

@pytest.mark.parametrize("part", ["transfer-svc", "ami-gateway", "call-lifecycle"])
def test_killed_while_it_rings(scene, stack, part):
    transfer = scene.transfer("blind", target="1003")
    scene.eve.phone.rings(scene.began)
    transfer.becomes("ringing")
    stack.kill9(part)
    scene.eve.phone.answer()
    scene.eve.phone.talks(scene.began)
    wait_until(lambda: scene.ledger.redis.hget(f"transfer:{transfer.id}", "state") == "completed",
               30, f"completed after {part} was killed")
    stack.up(part)
    scene.together("1002", "1003")


def test_killed_while_the_agent_asks(scene, stack):
    """The agent hangs up while nobody looks: the dialplan joins the others."""
    transfer = scene.consults()
    stack.kill9("transfer-svc")
    scene.ann.phone.hangup()
    scene.together("1002", "1003")
    stack.up("transfer-svc")
    transfer.becomes("completed")


def test_the_history_has_them_all(office, ledger):
    """What the tests above left: in MariaDB, each once, and added up."""
    redis = ledger.redis
    wait_until(lambda: not redis.scard("transfers:unsaved"), 20, "all are saved")
    page = office.admin.get(f"{BASE}/history?limit=200").json()["transfers"]
    ids = [each["transferId"] for each in page]
    assert len(ids) == len(set(ids)) >= 1
    for each in page[:20]:
        assert redis.hget(f"transfer:{each['transferId']}", "state") == each["result"]
    sums = office.admin.get(f"{BASE}/analytics?by=result").json()
    assert sums["all"]["total"] == len(ids)
    assert {each["key"]: each["total"] for each in sums["groups"]}.get("completed", 0) == \
        sums["all"]["completed"]
    assert office.admin.get(f"{BASE}/health").json()["underWay"] == 0
    assert "managed" in office.admin.get(f"{BASE}/capabilities").json()["kinds"]
