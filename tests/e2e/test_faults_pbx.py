"""Asterisk dies, or the wire to it is cut: what could not be seen is marked as a gap, no call stays
behind, and none is told twice."""

import os
import signal
import time

import pytest

from lib.cut import Wire
from lib.process import wait_until


def now_ms():
    return int(time.time() * 1000)


def the_gap(ledger, from_ms, to_ms):
    """The one gap that is marked, for lifecycle and for everybody, holds this span."""
    for told in (ledger.gaps, ledger.public_gaps):
        gaps = wait_until(told, what="the gap is marked")
        assert len(gaps) == 1, gaps
        begin, end = gaps[0]
        # The last bytes may have come just after the clock was read here.
        assert begin <= from_ms + 100 and to_ms <= end, f"{gaps}: not all of {from_ms} to {to_ms}"


def pbx_is(ledger, state):
    wait_until(lambda: ledger.redis.hget("pbx:main", "state") == state, what=f"Asterisk is {state}")


def talk(office, caller, callee):
    """The daemon that takes the request looks only twice a second whether Asterisk is there."""
    return wait_until(lambda: office.talk(caller, callee), what="they talk")


def refusal(agent):
    """The headers of the answer to an originate, if it is 503; one that was taken too early ends as
    failed."""
    answer = agent.rest.post("/api/ami/calls/originate", {"to": "1002"})
    return answer.headers if answer.status_code == 503 else None


def phones_let_go(*agents):
    """Asterisk died without a word to them."""
    for agent in agents:
        agent.phone.hangup()


# --- Asterisk

def test_asterisk_is_killed_and_comes_back(stack, office, ledger):
    """It does not know its calls any more: they end, and it is said that nobody saw how."""
    ann, bob, eve = office.agents(1001, 1002, 1003)
    talking = office.talk(ann, bob)
    began = time.monotonic()
    eve.phone.dial("600")
    eve.phone.talks(began)
    pid, died = stack.pid("asterisk"), now_ms()
    os.kill(pid, signal.SIGKILL)
    end = ledger.ended(talking, 20)
    assert end["reason"] in ("reconciled", "pbx_down")
    assert end["endedAt"] >= died - 300
    wait_until(lambda: not ledger.redis.smembers("calls:live:main"), what="no call is left")
    gaps = wait_until(ledger.gaps, what="the gap is marked")
    assert gaps[0][0] <= died + 300 and gaps[-1][1] >= died
    assert ann.hears("call:ended", talking)["data"]["reason"] == end["reason"]
    phones_let_go(ann, bob, eve)
    pbx_is(ledger, "up")
    again = talk(office, ann, bob)
    ann.hang_up(again)
    ledger.ended(again)


@pytest.fixture
def impatient(stack):
    """After two seconds without Asterisk its calls are given up."""
    stack.configure("call-lifecycle", LIFECYCLE_PBX_DOWN_S=2)
    yield
    stack.configure("call-lifecycle")


def test_asterisk_is_killed_and_stays_away(stack, office, ledger, impatient):
    ann, bob = office.agents(1001, 1002)
    call_id = office.talk(ann, bob)
    stack.once("asterisk")
    try:
        died = now_ms()
        os.kill(stack.pid("asterisk"), signal.SIGKILL)
        end = ledger.ended(call_id)
        assert end["reason"] == "pbx_down" and end["endedAt"] >= died
        assert ledger.redis.hget("pbx:main", "state") == "down"
        assert ann.hears("call:ended", call_id)
        headers = wait_until(lambda: refusal(ann), what="no call is taken")
        assert int(headers["Retry-After"]) >= 1
        phones_let_go(ann, bob)
    finally:
        stack.up("asterisk")
    pbx_is(ledger, "up")
    ledger.settle()
    assert ledger.kinds(call_id).count("call:ended") == 1


# --- the wire

@pytest.fixture(scope="module")
def laid(stack, office):
    """Between the gateway and Asterisk."""
    wire = Wire(f"{stack.prefix}.97", 5038, (f"{stack.prefix}.1", 5038))
    stack.configure("ami-gateway", AMI_HOST=wire.host, AMI_PING_MS=500, AMI_TIMEOUT_MS=1500)
    yield wire
    wire.close()
    stack.configure("ami-gateway")


@pytest.fixture
def wire(laid, ledger):
    """The same, intact before and after each test."""
    pbx_is(ledger, "up")
    yield laid
    laid.flow()
    laid.mend()
    pbx_is(ledger, "up")


def test_the_wire_is_cut_for_five_seconds(office, ledger, wire):
    """Meanwhile one call is answered, one ends, one begins, and one begins and ends."""
    ann, bob, eve = office.agents(1001, 1002, 1003)
    ringing = wait_until(lambda: office.ring(ann, bob), what="it rings")
    began = time.monotonic()
    eve.phone.dial("600")
    eve.phone.talks(began)
    ending = ledger.call_of(eve)
    cut = now_ms()
    wire.cut()
    bob.phone.answer()
    bob.phone.talks(began)
    eve.phone.hangup()
    eve.phone.is_free(began)
    unseen = time.monotonic()
    eve.phone.dial("600")
    eve.phone.talks(unseen)
    eve.phone.hangup()
    eve.phone.is_free(unseen)
    begun = time.monotonic()
    eve.phone.dial("600")
    eve.phone.talks(begun)
    pbx_is(ledger, "down")
    assert ledger.redis.hget("lifecycle:main", "stale") == "1"
    wait_until(lambda: ann.call(ringing)["stale"] is True, what="it is said to be stale")
    wait_until(lambda: refusal(ann), what="no call is taken")
    time.sleep(max(0, 5 - (now_ms() - cut) / 1000))
    mended = now_ms()
    wire.mend()
    ann.sees(ringing, "established")
    wait_until(lambda: ann.call(ringing)["stale"] is False, what="it is said to be fresh")
    assert ledger.ended(ending)["reason"] == "reconciled"
    the_gap(ledger, cut, mended)
    ledger.settle()
    ledger.check_no_ghosts()
    adopted = [call_id for call_id in ledger.redis.smembers("calls:live:main")
               if call_id != ringing]
    assert len(adopted) == 1, "the one that began meanwhile"
    assert eve.sees(adopted[0], "established")
    eve.phone.hangup()
    assert ledger.ended(adopted[0])["reason"] == "hangup"
    ann.hang_up(ringing)
    assert ledger.ended(ringing)["reason"] == "hangup"


def test_the_wire_falls_silent(stack, office, ledger, wire):
    """Nobody closes anything; the gateway finds out by itself, and what it had asked for in vain is
    answered."""
    ann, bob = office.agents(1001, 1002)
    call_id = talk(office, ann, bob)
    wire.stall()
    silent = now_ms()
    answer = ann.rest.put(f"/api/ami/calls/{call_id}/hold")
    assert answer.status_code in (502, 503, 504), answer.text
    pbx_is(ledger, "down")
    wire.flow()
    pbx_is(ledger, "up")
    assert wait_until(ledger.gaps, what="the gap is marked")[0][0] <= silent + 300
    wait_until(lambda: ann.call(call_id)["stale"] is False, what="the call is known again")
    # The request was under way when the wire fell silent, and may have arrived after all.
    contexts = {line.split("!")[1] for line in stack.cli("core show channels concise").splitlines()
                if line.count("!") >= 12}
    ann.sees(call_id, "held" if contexts == {"mayday-hold"} else "established")
    ann.hang_up(call_id)
    assert ledger.ended(call_id)["reason"] == "hangup"


def test_the_wire_is_reset(office, ledger, wire):
    ann, bob = office.agents(1001, 1002)
    call_id = office.ring(ann, bob)
    for _ in range(3):
        before = wire.connections
        wire.reset()
        wait_until(lambda known=before: wire.connections > known, what="the gateway comes again")
    bob.phone.answer()
    ann.sees(call_id, "established")
    wait_until(lambda: ann.hang_up(call_id), what="commands are taken again")
    ledger.ended(call_id)
    kinds = ledger.kinds(call_id)
    assert kinds.count("call:established") == 1, kinds


def test_a_call_asked_for_as_the_wire_is_cut_rings_once_or_never(office, ledger, wire):
    """Each originate may be on its way when the connection dies: at most one ring for each."""
    ann = office.agent(1001)
    began, asked = time.monotonic(), []
    for _ in range(4):
        answer = ann.rest.post("/api/ami/calls/originate", {"to": "600", "timeoutMs": 1000})
        if answer.status_code == 202:
            asked.append(answer.json()["callId"])
        wire.reset()
        pbx_is(ledger, "up")
    for call_id in asked:
        ledger.ended(call_id, 30)
    rung = [event for at, event in ann.phone.events
            if at >= began and event["type"] == "CALL_INCOMING"]
    assert len(rung) <= len(asked)
