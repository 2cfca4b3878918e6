"""Each daemon dies in the middle of a call, and a second instance takes over. The call goes on, and
what is told of it is complete, once, and true."""

import contextlib
import os
import signal
import threading
import time

import pytest
import requests

from lib.process import wait_until

TOLERANCE_MS = 300
TAKEOVER_S = 5


def now_ms():
    return int(time.time() * 1000)


def restarted(stack, part, pid):
    wait_until(lambda: stack.pid(part) not in (None, pid), what=f"{part} runs again")


def kill(stack, part):
    """Returns its pid."""
    pid = stack.pid(part)
    os.kill(pid, signal.SIGKILL)
    return pid


def the_gap(ledger, from_ms, to_ms):
    """What was not seen is marked, for lifecycle and for everybody, and holds this span."""
    for told in (ledger.gaps, ledger.public_gaps):
        gaps = wait_until(told, what="the gap is marked")
        assert len(gaps) == 1, gaps
        begin, end = gaps[0]
        assert begin <= from_ms and to_ms <= end, f"{gaps}: not all of {from_ms} to {to_ms}"


# --- ami-gateway

def test_gateway_dies_while_it_rings(stack, office, ledger):
    """Nobody sees the answer: it is found out afterwards."""
    ann, bob = office.agents(1001, 1002)
    call_id = office.ring(ann, bob)
    died, began = now_ms(), time.monotonic()
    kill(stack, "ami-gateway")
    bob.phone.answer()
    talked = bob.phone.talks(began)["at"]
    ann.sees(call_id, "established")
    the_gap(ledger, died, talked)
    ann.hears("call:established", call_id)
    bob.phone.hangup()
    assert ledger.ended(call_id)["reason"] == "hangup"


def test_gateway_dies_while_they_talk_and_one_hangs_up(stack, office, ledger):
    """Nobody sees the end: it is found out, and said to be so."""
    ann, bob = office.agents(1001, 1002)
    call_id = office.talk(ann, bob)
    died, began = now_ms(), time.monotonic()
    kill(stack, "ami-gateway")
    bob.phone.hangup()
    over = ann.phone.is_free(began)["at"]
    end = ledger.ended(call_id)
    assert end["reason"] == "reconciled"
    the_gap(ledger, died, over)
    ann.hears("call:ended", call_id)
    assert ann.call(call_id)["state"] == "ended"


def test_gateway_dies_and_the_call_goes_on(stack, office, ledger):
    ann, bob = office.agents(1001, 1002)
    call_id = office.talk(ann, bob)
    answered = ann.call(call_id)["answeredAt"]
    restarted(stack, "ami-gateway", kill(stack, "ami-gateway"))
    wait_until(lambda: ann.rest.put(f"/api/ami/calls/{call_id}/hold").status_code == 202,
               what="commands are taken again")
    shown = ann.sees(call_id, "held")
    assert shown["answeredAt"] == answered
    ann.unhold(call_id)
    ann.sees(call_id, "established")
    ann.hang_up(call_id)
    assert ledger.ended(call_id)["reason"] == "hangup"
    assert ledger.kinds(call_id).count("call:established") == 1


def test_a_call_asked_for_while_the_gateway_is_dead_rings_once_or_never(stack, office, ledger):
    ann, bob = office.agents(1001, 1002)
    began = time.monotonic()
    kill(stack, "ami-gateway")
    answer = ann.rest.post("/api/ami/calls/originate", {"to": "1002"})
    assert answer.status_code in (202, 503), answer.text
    if answer.status_code == 202:
        call_id = answer.json()["callId"]
        wait_until(lambda: any(event["type"] == "CALL_INCOMING" for at, event in ann.phone.events
                               if at >= began) or "call:ended" in ledger.kinds(call_id), 15,
                   "it rings, or it is said to have failed")
    office.quiet()
    ledger.settle()
    rung = [event for at, event in ann.phone.events
            if at >= began and event["type"] == "CALL_INCOMING"]
    assert len(rung) <= 1


# --- call-lifecycle

@pytest.fixture
def watched(ledger):
    """Nothing is lost when only call-lifecycle dies: no gap may be told."""
    yield ledger
    assert ledger.gaps() == []


def test_lifecycle_dies_while_it_rings(stack, office, watched):
    """What happens meanwhile is told late, with the time at which it happened."""
    ann, bob = office.agents(1001, 1002)
    call_id = office.ring(ann, bob)
    began, pid = time.monotonic(), kill(stack, "call-lifecycle")
    bob.phone.answer()
    talked = bob.phone.talks(began)["at"]
    restarted(stack, "call-lifecycle", pid)
    shown = ann.sees(call_id, "established")
    assert abs(shown["answeredAt"] - talked) <= TOLERANCE_MS
    ann.hears("call:established", call_id)
    bob.phone.hangup()
    assert watched.ended(call_id)["hungUpBy"] == "1002"


def test_lifecycle_dies_while_they_talk_and_one_hangs_up(stack, office, watched):
    ann, bob = office.agents(1001, 1002)
    call_id = office.talk(ann, bob)
    began = time.monotonic()
    kill(stack, "call-lifecycle")
    bob.phone.hangup()
    over = ann.phone.is_free(began)["at"]
    end = watched.ended(call_id)
    assert (end["reason"], end["hungUpBy"]) == ("hangup", "1002")
    assert abs(end["endedAt"] - over) <= TOLERANCE_MS
    assert ann.hears("call:ended", call_id)["timestamp"] == end["endedAt"]


def test_lifecycle_dies_again_and_again_in_one_call(stack, office, watched):
    ann, bob = office.agents(1001, 1002)
    began = time.monotonic()
    bob.phone.dial("1001")
    ann.phone.rings(began)
    pid = kill(stack, "call-lifecycle")
    ann.phone.answer()
    ann.phone.talks(began)
    restarted(stack, "call-lifecycle", pid)
    time.sleep(0.3)  # in the middle of its start
    pid = kill(stack, "call-lifecycle")
    bob.phone.hold()
    restarted(stack, "call-lifecycle", pid)
    call_id = watched.call_of(ann)
    ann.hears("call:held", call_id, 15)
    kill(stack, "call-lifecycle")
    bob.phone.resume()
    bob.phone.hangup()
    watched.ended(call_id, 15)
    kinds = watched.kinds(call_id)
    for kind in ("call:ringing", "call:established", "call:held", "call:unheld", "call:ended"):
        assert kinds.count(kind) == 1, kinds


# --- auth-svc

def test_auth_dies_and_calls_go_on(stack, office, ledger):
    """Tokens are checked without it; nobody can log in until it is back."""
    ann, bob = office.agents(1001, 1002)
    call_id = office.ring(ann, bob)
    pid = kill(stack, "auth-svc")
    bob.phone.answer()
    ann.sees(call_id, "established")
    ann.hold(call_id)
    ann.sees(call_id, "held")
    ann.hang_up(call_id)
    ledger.ended(call_id)
    restarted(stack, "auth-svc", pid)

    def logged_in():
        return office.login("agent1001", office.password)["jwt"]["token"]
    token = wait_until(logged_in, what="logins again")
    assert ann.rest.get("/api/auth/me", token=token).status_code == 200
    assert ann.rest.get("/api/auth/me").status_code == 200


# --- ws-fanout

def test_fanout_dies_and_nothing_is_missed(stack, office, ledger):
    """Who comes back with a cursor gets what happened meanwhile: all of it, once, in order."""
    ann, bob = office.agents(1001, 1002)
    call_id = office.ring(ann, bob)
    ann.hears("call:ringing", call_id)
    pid = kill(stack, "ws-fanout")
    began = time.monotonic()
    bob.phone.answer()
    bob.phone.talks(began)
    ann.hold(call_id)
    ann.sees(call_id, "held")
    restarted(stack, "ws-fanout", pid)
    for agent in (ann, bob):
        wait_until(lambda each=agent: each.reconnect() or True, what="back on the WebSocket")
    ann.hang_up(call_id)
    for agent in (ann, bob):
        agent.hears("call:ended", call_id)
        written = [(f"call:{entry_id}", event) for entry_id, event in ledger.entries("events:call")
                   if event["callId"] == call_id and agent.extension in event["extensions"]]
        assert agent.heard(call_id) == written


# --- a second instance

@pytest.fixture
def second(stack):
    """second("call-lifecycle") is one more of it, in nginx too."""
    made = []

    def make(part):
        stack.up(f"{part}@2")
        made.append(part)
        return f"{part}@2"

    yield make
    for part in made:
        stack.up(part)
        stack.stop(f"{part}@2")


def holder(ledger, name):
    return ledger.redis.get(f"lease:{name}:main")


def owner(stack, ledger, name, *parts):
    """Which of the two has the lease."""
    text = wait_until(lambda: holder(ledger, name), what="somebody has the lease")
    pids = {str(stack.pid(part)): part for part in parts}
    return pids[text.split(":")[1]]


def test_a_second_lifecycle_takes_over(stack, office, watched, second):
    ann, bob = office.agents(1001, 1002)
    other = second("call-lifecycle")
    call_id = office.ring(ann, bob)
    first = owner(stack, watched, "lifecycle", "call-lifecycle", other)
    before = holder(watched, "lifecycle")
    stack.once(first)
    began = time.monotonic()
    kill(stack, first)
    bob.phone.answer()
    talked = bob.phone.talks(began)["at"]
    ann.hears("call:established", call_id, TAKEOVER_S)
    took = time.monotonic() - began
    assert took < TAKEOVER_S
    assert holder(watched, "lifecycle") != before
    assert abs(ann.sees(call_id, "established")["answeredAt"] - talked) <= TOLERANCE_MS
    ann.hang_up(call_id)
    watched.ended(call_id)


def test_a_second_gateway_takes_over(stack, office, ledger, second):
    ann, bob = office.agents(1001, 1002)
    other = second("ami-gateway")
    call_id = office.ring(ann, bob)
    first = owner(stack, ledger, "gateway", "ami-gateway", other)
    before = holder(ledger, "gateway")
    stack.once(first)
    died, began = now_ms(), time.monotonic()
    kill(stack, first)
    bob.phone.answer()
    talked = bob.phone.talks(began)["at"]
    ann.hears("call:established", call_id, TAKEOVER_S)
    assert time.monotonic() - began < TAKEOVER_S
    assert holder(ledger, "gateway") != before
    the_gap(ledger, died, talked)
    ann.hold(call_id)
    ann.sees(call_id, "held")
    ann.hang_up(call_id)
    assert ledger.ended(call_id)["reason"] == "hangup"


def test_an_owner_that_was_frozen_finds_itself_replaced(stack, office, ledger, second):
    """It wakes up long after its lease: nothing of what it still has in hand may be written."""
    ann, bob = office.agents(1001, 1002)
    other = second("call-lifecycle")
    call_id = office.ring(ann, bob)
    first = owner(stack, ledger, "lifecycle", "call-lifecycle", other)
    before = holder(ledger, "lifecycle")
    os.kill(stack.pid(first), signal.SIGSTOP)
    try:
        bob.phone.answer()
        wait_until(lambda: holder(ledger, "lifecycle") not in (None, before), what="a take-over")
        ann.hears("call:established", call_id)
    finally:
        os.kill(stack.pid(first), signal.SIGCONT)
    bob.phone.hangup()
    ledger.ended(call_id)
    time.sleep(1)  # for it to do wrong
    assert holder(ledger, "lifecycle") != before


# --- nginx

def test_nginx_reloads_and_nobody_notices(stack, office, ledger):
    ann, bob = office.agents(1001, 1002)
    call_id = office.talk(ann, bob)
    socket, answers, stop = ann.live, [], threading.Event()

    def ask():
        while not stop.is_set():
            try:
                answers.append(ann.rest.get(f"/api/ami/calls/{call_id}").status_code)
            except requests.RequestException as error:
                answers.append(repr(error))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(3):
            time.sleep(0.4)
            os.kill(stack.pid("nginx"), signal.SIGHUP)
        time.sleep(0.6)
        ann.hold(call_id)
        ann.hears("call:held", call_id)
        ann.hang_up(call_id)
        ann.hears("call:ended", call_id)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert set(answers) == {200} and len(answers) > 20
    assert ann.live is socket and socket.close_code is None
    with contextlib.suppress(AssertionError):
        socket.receive(0.1)
