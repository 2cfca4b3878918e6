"""Redis and MariaDB go away in the middle of calls: what Asterisk did meanwhile is told when they
are back, complete, once, with its own times."""

import contextlib
import os
import signal
import time

import requests

from lib.process import wait_until

TOLERANCE_MS = 300
AWAY_S = 10


@contextlib.contextmanager
def stopped(pid):
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def refused_soon(ask):
    """503 in the one shape, and not after a long wait. The first may wait for a time-out."""
    with contextlib.suppress(requests.RequestException):
        ask()
    began = time.monotonic()
    answer = ask()
    took = time.monotonic() - began
    assert answer.status_code == 503, (answer.status_code, answer.text)
    assert int(answer.headers["Retry-After"]) >= 1
    assert took < 2, f"503 after {took:.1f} s"


def one_each(ledger, call_id, *kinds):
    told = ledger.kinds(call_id)
    assert [kind for kind in told if kind in kinds] == list(kinds), told


def test_redis_stands_still_for_ten_seconds(stack, office, ledger):
    """A call that is answered and held meanwhile, and one that begins and ends meanwhile."""
    ann, bob, eve = office.agents(1001, 1002, 1003)
    call_id = office.ring(ann, bob)
    began = time.monotonic()
    with stopped(stack.pid("redis")):
        bob.phone.answer()
        talked = bob.phone.talks(began)["at"]
        bob.phone.hold()
        eve.phone.dial("600")
        eve.phone.talks(began)
        refused_soon(lambda: ann.rest.get(f"/api/ami/calls/{call_id}"))
        refused_soon(lambda: ann.rest.post("/api/ami/calls/originate", {"to": "1003"}))
        eve.phone.hangup()
        eve_over = eve.phone.is_free(began)["at"]
        time.sleep(max(0, AWAY_S - (time.monotonic() - began)))
    shown = ann.sees(call_id, "held", 15)
    assert abs(shown["answeredAt"] - talked) <= TOLERANCE_MS
    short = wait_until(lambda: [event for event in ledger.events()
                                if event["eventType"] == "call:ended"], what="the short call")[0]
    assert abs(short["data"]["endedAt"] - eve_over) <= TOLERANCE_MS
    assert short["data"]["reason"] == "hangup" and short["extension"] == "1003"
    bob.phone.resume()
    ann.sees(call_id, "established")
    ann.hang_up(call_id)
    ledger.ended(call_id)
    one_each(ledger, call_id, "call:established", "call:held", "call:unheld", "call:ended")
    assert ledger.gaps() == [], "nothing was lost, so nothing is to be called a gap"
    kinds = [event["eventType"] for event in ledger.events(short["callId"])]
    assert kinds == ["call:dialing", "call:ended"], kinds


def test_redis_is_killed_and_starts_from_its_file(stack, office, ledger):
    ann, bob = office.agents(1001, 1002)
    call_id = office.ring(ann, bob)
    pid, began = stack.pid("redis"), time.monotonic()
    os.kill(pid, signal.SIGKILL)
    bob.phone.answer()
    talked = bob.phone.talks(began)["at"]
    wait_until(lambda: stack.pid("redis") not in (None, pid), what="Redis runs again")
    shown = ann.sees(call_id, "established", 15)
    assert abs(shown["answeredAt"] - talked) <= TOLERANCE_MS
    # The same again, with the call's end in ten seconds without Redis.
    stack.once("redis")
    began = time.monotonic()
    os.kill(stack.pid("redis"), signal.SIGKILL)
    bob.phone.hangup()
    over = ann.phone.is_free(began)["at"]
    refused_soon(lambda: ann.rest.get("/api/ami/calls"))
    time.sleep(max(0, AWAY_S - (time.monotonic() - began)))
    stack.up("redis")
    end = ledger.ended(call_id, 15)
    assert abs(end["endedAt"] - over) <= TOLERANCE_MS and end["hungUpBy"] == "1002"
    one_each(ledger, call_id, "call:established", "call:ended")
    assert ledger.gaps() == [], "nothing was lost, so nothing is to be called a gap"
    wait_until(lambda: ann.rest.get("/api/auth/me").status_code == 200,
               what="the session is still there")


def test_redis_is_killed_again_and_again_under_calls(stack, office, ledger):
    """Kills that meet transactions on their way; the ledger compares all at the end."""
    ann, bob = office.agents(1001, 1002)
    for wait_s in (0.0, 0.005, 0.02):
        began = time.monotonic()
        bob.phone.dial("1001")
        ann.phone.rings(began)
        ann.phone.answer()
        ann.phone.talks(began)
        bob.phone.hangup()
        time.sleep(wait_s)
        pid = stack.pid("redis")
        os.kill(pid, signal.SIGKILL)
        ann.phone.is_free(began)
        wait_until(lambda dead=pid: stack.pid("redis") not in (None, dead), what="Redis runs again")
        wait_until(ledger.redis.ping, what="Redis answers")
    wait_until(lambda: len([event for event in ledger.events()
                            if event["eventType"] == "call:ended"]) == 3, 20, "three ends")
    assert ledger.gaps() == []


def test_mariadb_is_away_while_calls_run(stack, office, ledger):
    """What is live goes on; only logins are refused. The endpoints that Asterisk must look up for a
    new call are in MariaDB, so none is begun."""
    ann, bob = office.agents(1001, 1002)
    call_id = office.talk(ann, bob)
    stack.stop("mariadb")
    try:
        refused_soon(lambda: ann.rest.post("/api/auth/login", {
            "username": "agent1001", "password": office.password}))
        assert ann.rest.get("/api/auth/me").status_code == 200
        assert ann.rest.get("/api/ami/calls").status_code == 200
        ann.hold(call_id)
        ann.hears("call:held", call_id)
        ann.unhold(call_id)
        ann.sees(call_id, "established")
        began = time.monotonic()
        ann.hang_up(call_id)
        bob.phone.is_free(began)
        ledger.ended(call_id)
        ann.hears("call:ended", call_id)
    finally:
        stack.up("mariadb")
    wait_until(lambda: office.login("agent1001", office.password), what="logins again")
    wait_until(lambda: all(f"{each.extension}/sip:" in stack.cli(
        f"pjsip show endpoint {each.extension}") for each in (ann, bob)), 30, "Asterisk's endpoints")
    again = office.talk(ann, bob)
    ann.hang_up(again)
    ledger.ended(again)
    assert ledger.gaps() == []
