"""The other outcomes of each kind between real phones: refused, not answered, given up, cancelled;
what a phone begins by itself; and what queues and agents are said to do meanwhile."""

import time

import pytest

from lib.client import assert_error
from lib.lonely import Lonely
from lib.process import wait_until
from lib.sip import Answerer, Refuser
from lib.transfers import BASE, Scene, Transfer

OUTSIDE = "74951234567"


@pytest.fixture(scope="module", autouse=True)
def nobody_is_left_alone(office):
    lonely = Lonely(office.stack, office.stack.redis_client())
    yield
    lonely.check()


@pytest.fixture
def scene(office, ledger):
    return Scene(office, ledger)


@pytest.fixture
def provider(stack):
    """provider("486 Busy Here") answers so for the outside."""
    made = []

    def make(status=None, ring_s=0.3):
        address = f"{stack.prefix}.99"
        made.append(Refuser(address, status, ring_s) if status else Answerer(address))
        return made[-1]
    yield make
    for each in made:
        each.close()


@pytest.fixture
def refuser(stack):
    """1010 is a phone that declines."""
    address = f"{stack.prefix}.98"
    phone = Refuser(address, "603 Decline")
    stack.sql(f"UPDATE ps_aors SET contact = 'sip:1010@{address}:5060' WHERE id = '1010'")
    yield phone
    stack.sql("UPDATE ps_aors SET contact = NULL WHERE id = '1010'")
    phone.close()


@pytest.fixture
def queue(stack):
    """short has 1003 as a member."""
    stack.cli("queue add member PJSIP/1003 to short")
    yield "short"
    stack.cli("queue remove member PJSIP/1003 from short")


def statistics(scene, queue):
    """(completed, abandoned) as Asterisk counts them."""
    line = scene.office.stack.cli(f"queue show {queue}").splitlines()[0]
    fields = dict(part.strip().split(":", 1) for part in line.split(",") if ":" in part
                  and part.strip()[0] in "CA")
    return int(fields["C"]), int(fields["A"])


# --- blind: after the answer, and back

def test_the_target_hangs_up_after_the_answer(scene):
    """It was completed: the call ends like any other, for the customer too."""
    transfer = scene.transfer("blind", target="1003")
    scene.eve.phone.rings(scene.began)
    scene.eve.phone.answer()
    transfer.becomes("completed")
    began = time.monotonic()
    scene.eve.phone.hangup()
    scene.bob.phone.is_free(began)
    scene.ledger.ended(scene.call_id)
    assert transfer.shown()["state"] == "completed"


def test_the_customer_hangs_up_on_the_way_back(scene):
    transfer = scene.transfer("blind", target="1010")
    scene.ann.phone.rings(scene.began)
    transfer.becomes("rolling_back")
    assert_error(transfer.ask("cancel"), 409, "not_possible_now")
    began = time.monotonic()
    scene.bob.phone.hangup()
    scene.ann.phone.is_free(began)
    assert transfer.becomes("abandoned")["reason"] == "unreachable"


def test_cancelled_and_the_agent_does_not_take_the_customer(scene):
    transfer = scene.transfer("blind", target="1003")
    scene.eve.phone.rings(scene.began)
    transfer.becomes("ringing")
    transfer.does("cancel")
    scene.ann.phone.rings(scene.began)
    assert_error(transfer.ask("complete"), 409, "not_possible_now")
    scene.ann.phone.hangup()
    transfer.becomes("rolled_back")
    wait_until(lambda: "PJSIP/1002" in scene.office.stack.cli("queue show support"),
               what="1002 waits in the fall-back queue")


# --- external

@pytest.mark.parametrize("status, reason", [
    ("603 Decline", "declined"), ("503 Service Unavailable", "failed"),
    ("404 Not Found", "unreachable")])
def test_the_outside_does_not_take_it(scene, provider, status, reason):
    provider(status)
    scene.back_at_the_agent(scene.transfer("external", target=OUTSIDE), reason)


def test_the_outside_does_not_answer(scene, provider):
    provider("487 Request Terminated", 1.5)
    scene.back_at_the_agent(scene.transfer("external", target=OUTSIDE, timeoutS=1), "no_answer")


@pytest.mark.parametrize("who", ["customer", "agent"])
def test_given_up_while_the_outside_rings(scene, provider, who):
    provider("487 Request Terminated", 1.5)
    transfer = scene.transfer("external", target=OUTSIDE)
    transfer.becomes("ringing")
    if who == "customer":
        scene.bob.phone.hangup()
        transfer.becomes("abandoned")
    else:
        transfer.does("cancel")
        scene.ann.phone.rings(scene.began)
        scene.ann.phone.answer()
        transfer.becomes("cancelled")
        scene.together("1001", "1002")


def test_the_outbound_route_chooses_the_trunk_and_the_number(scene, stack, provider):
    """A row of the dialplan for some numbers: here without a trunk that is there."""
    seen = provider()
    stack.sql("INSERT INTO voice_extensions (context, exten, priority, app, appdata) VALUES "
              "('mayday-route', '_7495.', 1, 'Set', 'MAYDAY_NUMBER=8${EXTEN:1}'), "
              "('mayday-route', '_7495.', 2, 'Return', '')")
    try:
        transfer = scene.transfer("external", target=OUTSIDE)
        transfer.becomes("completed")
        assert "INVITE sip:84951234567@" in seen.invite
        assert seen.shown_as() == "1002"
    finally:
        stack.sql("DELETE FROM voice_extensions WHERE context = 'mayday-route'")


@pytest.fixture
def one_number(stack):
    """The outside is shown one number, whoever is sent there."""
    stack.configure("transfer-svc", TRANSFER_EXTERNAL_CALLER_ID="74950000000")
    yield
    stack.configure("transfer-svc")


@pytest.mark.parametrize("kind", ["external", "managed"])
def test_what_the_outside_is_shown(one_number, scene, provider, kind):
    seen = provider()
    more = {"external": True} if kind == "managed" else {}
    transfer = scene.transfer(kind, target=OUTSIDE, **more)
    transfer.becomes("answered" if kind == "managed" else "completed")
    assert seen.shown_as() == "74950000000"


# --- queue

def test_a_queue_is_given_up_by_the_customer(scene, queue):
    before = statistics(scene, queue)
    transfer = scene.transfer("queue", queue=queue, timeoutS=20)
    scene.eve.phone.rings(scene.began)
    transfer.becomes("queued")
    scene.bob.phone.hangup()
    transfer.becomes("abandoned")
    assert statistics(scene, queue) == (before[0], before[1] + 1)
    scene.ledger.ended(scene.call_id)
    assert scene.bob.call(scene.call_id)["queue"]["outcome"] == "abandoned"


def test_a_queue_that_answers_counts_it(scene, queue):
    before = statistics(scene, queue)
    transfer = scene.transfer("queue", queue=queue, timeoutS=20, position=1)
    scene.eve.phone.rings(scene.began)
    scene.eve.phone.answer()
    transfer.becomes("completed")
    began = time.monotonic()
    scene.eve.phone.hangup()
    scene.bob.phone.is_free(began)
    scene.ledger.ended(scene.call_id)
    assert statistics(scene, queue) == (before[0] + 1, before[1])


def test_a_queue_is_taken_back(scene, queue):
    transfer = scene.transfer("queue", queue=queue, timeoutS=20)
    scene.eve.phone.rings(scene.began)
    transfer.becomes("queued")
    transfer.does("cancel")
    scene.ann.phone.rings(scene.began)
    scene.ann.phone.answer()
    transfer.becomes("cancelled")
    scene.together("1001", "1002")


def test_a_queue_whose_member_refuses(scene, queue):
    transfer = scene.transfer("queue", queue=queue, timeoutS=2)
    scene.eve.phone.rings(scene.began)
    scene.eve.phone.hangup()
    scene.back_at_the_agent(transfer, "timeout")


def test_a_queue_that_is_not_there(scene):
    scene.back_at_the_agent(scene.transfer("queue", queue="nowhere"), "failed")


# --- a place of the dialplan

def test_a_place_that_is_not_there(scene):
    scene.back_at_the_agent(scene.transfer("blind", target="699", context="services"),
                            "unreachable")


# --- managed

def test_managed_and_declined(scene, refuser):
    assert refuser
    transfer = scene.transfer("managed", target="1010")
    assert transfer.becomes("rolled_back")["reason"] == "declined"
    scene.together("1001", "1002")


def test_managed_and_not_answered(scene):
    transfer = scene.transfer("managed", target="1003", timeoutS=1)
    scene.eve.phone.rings(scene.began)
    assert transfer.becomes("rolled_back")["reason"] == "no_answer"
    scene.together("1001", "1002")


def test_managed_and_the_customer_hangs_up_while_it_rings(scene):
    transfer = scene.transfer("managed", target="1003")
    scene.eve.phone.rings(scene.began)
    transfer.becomes("ringing")
    scene.bob.phone.hangup()
    transfer.becomes("abandoned")
    scene.eve.phone.answer()
    scene.together("1001", "1003")


def test_handed_over_while_it_rings_and_then_refused(scene):
    """The agent has gone: it is rung again."""
    transfer = scene.transfer("managed", target="1003")
    scene.eve.phone.rings(scene.began)
    transfer.becomes("ringing")
    began = time.monotonic()
    scene.ann.phone.hangup()
    scene.ann.phone.is_free(began)
    scene.eve.phone.rings(began)
    scene.eve.phone.hangup()
    scene.ann.phone.rings(began)
    scene.ann.phone.answer()
    transfer.becomes("rolled_back")
    scene.together("1001", "1002")


def test_managed_with_the_outside(scene, provider):
    provider()
    transfer = scene.transfer("managed", target=OUTSIDE, external=True)
    transfer.becomes("answered")
    transfer.does("complete")
    transfer.becomes("completed")
    scene.together("1002", "trun")
    began = time.monotonic()
    scene.bob.phone.hangup()
    scene.bob.phone.is_free(began)


def test_managed_with_the_outside_that_is_busy(scene, provider):
    provider("486 Busy Here")
    transfer = scene.transfer("managed", target=OUTSIDE, external=True)
    assert transfer.becomes("rolled_back")["reason"] == "busy"
    scene.together("1001", "1002")


@pytest.mark.parametrize("then", ["complete", "cancel", "customer hangs up"])
def test_toggled(scene, then):
    transfer = scene.consults()
    transfer.does("toggle")
    wait_until(lambda: transfer.shown()["withCustomer"], what="toggled")
    if then == "complete":
        transfer.does("complete")
        transfer.becomes("completed")
        scene.together("1002", "1003")
    elif then == "cancel":
        transfer.does("cancel")
        transfer.becomes("cancelled")
        began = scene.began
        scene.eve.phone.is_free(began)
        scene.together("1001", "1002")
    else:
        scene.bob.phone.hangup()
        transfer.becomes("abandoned")
        scene.together("1001", "1003")


@pytest.mark.parametrize("who", ["bob", "eve"])
def test_one_of_three_leaves(scene, who):
    transfer = scene.consults()
    transfer.does("conference")
    transfer.becomes("completed")
    scene.together("1001", "1002", "1003")
    getattr(scene, who).phone.hangup()
    left = ("1001", "1003") if who == "bob" else ("1001", "1002")
    scene.together(*left)


# --- what a phone begins by itself

def phones_own(scene, state):
    def found():
        listed = scene.office.admin.get(f"{BASE}/enhanced-status?callId={scene.call_id}").json()
        return [each for each in listed["transfers"] if each["state"] == state]
    (shown,) = wait_until(found, 15, f"one is {state}")
    return shown


@pytest.mark.parametrize("target, reason", [
    ("1003", "busy"), ("1010", "unreachable"), (OUTSIDE, "declined")])
def test_a_phones_own_comes_back(scene, provider, target, reason):
    """1002 sends 1001 on, by REFER; who is sent on is never hung up on."""
    provider("603 Decline")
    began = time.monotonic()
    scene.bob.phone.transfer(target)
    if target == "1003":
        scene.eve.phone.rings(began)
        scene.eve.phone.hangup()
    scene.bob.phone.is_free(began)
    scene.bob.phone.rings(began)
    scene.bob.phone.answer()
    shown = phones_own(scene, "rolled_back")
    assert (shown["kind"], shown["from"], shown["to"]) == ("phone_blind", "1002", target)
    assert shown["reason"] == reason
    scene.together("1001", "1002")


def test_a_phones_own_that_nobody_takes(scene):
    began = time.monotonic()
    scene.bob.phone.transfer("1010")
    scene.bob.phone.rings(began)
    scene.bob.phone.hangup()
    phones_own(scene, "rolled_back")
    wait_until(lambda: "PJSIP/1001" in scene.office.stack.cli("queue show support"),
               what="1001 waits in the fall-back queue")


def test_keys_hand_over_in_person(scene):
    """*2 1003: the agent asks, hangs up, and the others talk; 409 for any other while it lasts."""
    began = time.monotonic()
    scene.bob.phone.press("*2")
    time.sleep(0.3)
    scene.bob.phone.press("1003")
    scene.eve.phone.rings(began)
    assert phones_own(scene, "ringing")["kind"] == "phone_attended"
    scene.eve.phone.answer()
    shown = phones_own(scene, "answered")
    assert (shown["from"], shown["customer"], shown["to"]) == ("1002", "1001", "1003")
    answer = scene.bob.rest.post(f"{BASE}/blind", {"callId": scene.call_id, "target": "1004"})
    assert_error(answer, 409, "transfer_under_way")
    assert_error(scene.bob.rest.delete(f"{BASE}/{shown['transferId']}"), 409, "not_possible_now")
    scene.bob.phone.hangup()
    assert phones_own(scene, "completed")["transferId"] == shown["transferId"]
    scene.together("1001", "1003")


def test_keys_and_the_one_asked_is_busy(scene):
    began = time.monotonic()
    scene.bob.phone.press("*2")
    time.sleep(0.3)
    scene.bob.phone.press("1003")
    scene.eve.phone.rings(began)
    scene.eve.phone.hangup()
    shown = phones_own(scene, "rolled_back")
    assert (shown["kind"], shown["reason"]) == ("phone_attended", "busy")
    scene.together("1001", "1002")


def test_parked_and_taken_by_another(scene):
    answer = scene.ann.rest.post(f"/api/ami/calls/{scene.call_id}/park", {})
    assert answer.status_code == 202, answer.text
    shown = phones_own(scene, "queued")
    assert (shown["kind"], shown["from"], shown["customer"]) == ("park", "1001", "1002")
    scene.eve.phone.dial(shown["to"])
    assert phones_own(scene, "completed")["to"] == "1003"
    scene.together("1002", "1003")


# --- agents

@pytest.fixture
def wrap_up(stack, office):
    """After each call an agent has a second for its notes."""
    stack.configure("call-lifecycle", LIFECYCLE_WRAP_UP_S=1)
    yield
    office.quiet()
    stack.configure("call-lifecycle")


def test_what_agents_are_said_to_do(wrap_up, stack, office, ledger):
    """Who had the customer from a queue has a wrap-up when its own part is over; who talks is busy."""
    def is_in(extension, *states):
        for state in states:
            wait_until(lambda now=state: ledger.redis.hget(f"agent:{extension}", "state") == now,
                       what=f"{extension} is {state}")
    ann, bob, eve = office.agents(1001, 1002, 1003)
    began = time.monotonic()
    stack.cli("queue add member PJSIP/1001 to short")
    try:
        bob.phone.dial("5002")
        ann.phone.rings(began)
        ann.phone.answer()
        bob.phone.talks(began)
        call_id = ledger.call_of(ann)
        ann.sees(call_id, "established")
        transfer = Transfer(ann, call_id, "managed", target="1003")
        eve.phone.rings(began)
        eve.phone.answer()
        transfer.becomes("answered")
        for extension in ("1001", "1002", "1003"):
            is_in(extension, "busy")
        transfer.does("complete")
        transfer.becomes("completed")
        is_in("1001", "wrap_up", "available")
        is_in("1003", "busy")
        assert ledger.redis.hget("agent:1003", "callId") == call_id
        bob.phone.hangup()
        is_in("1003", "available")
    finally:
        stack.cli("queue remove member PJSIP/1001 from short")
