"""Real calls between real phones, by REST through nginx: what GET, the hash, the events on the
stream and the WebSocket say is one story, and it is the one that the phones tell."""

import time

import pytest

from lib.client import assert_error
from lib.office import value_of
from lib.sip import Refuser

TOLERANCE_MS = 300


def near(what, said, seen):
    assert abs(said - seen) <= TOLERANCE_MS, f"{what}: {said} is {said - seen} ms from {seen}"


def of(ledger, call_id, kind, **data):
    """The one event of this kind whose data has these values."""
    found = [event for event in ledger.events(call_id) if event["eventType"] == kind
             and all(event["data"].get(name) == value for name, value in data.items())]
    assert len(found) == 1, (kind, data, found)
    return found[0]


def in_order(kinds, *wanted):
    """wanted is in kinds, in this order, whatever else is between."""
    rest = iter(kinds)
    assert all(kind in rest for kind in wanted), kinds


def agree(ledger, call_id, *agents):
    """GET, the hash, and what each agent heard, against the stream."""
    ledger.settle()
    shown, kept = agents[0].call(call_id), ledger.redis.hgetall(f"call:{call_id}")
    for name, value in shown.items():
        if name in kept:
            text = kept[name]
            assert value == value_of(text) or str(value) == text, f"{name}: {value!r}, {text!r}"
    written = [(f"call:{entry_id}", event) for entry_id, event in ledger.entries("events:call")
               if event.get("callId") == call_id]
    for agent in agents:
        mine = [(cursor, event) for cursor, event in written
                if agent.extension in event["extensions"]]
        agent.hears(mine[-1][1]["eventType"], call_id)
        assert agent.heard(call_id) == mine
    timeline = [moment["event"] for moment in shown["timeline"]]
    assert [f"call:{event}" for event in timeline] == [event["eventType"] for _, event in written]
    return shown


def ended(ledger, call_id, *agents, free):
    """It is over: once, everywhere, and when the phones say. free: CALL_CLOSED of a phone."""
    end = ledger.ended(call_id)
    shown = agree(ledger, call_id, *agents)
    assert shown["state"] == "ended" and shown["endedAt"] == end["endedAt"]
    assert shown["channels"] == []
    assert ledger.kinds(call_id).count("call:ended") == 1
    near("end", end["endedAt"], free["at"])
    assert end["durationMs"] == end["endedAt"] - end["startedAt"]
    return end


def test_asked_for_answered_and_hung_up_by_the_other(office, ledger):
    ann, bob = office.agents(1001, 1002)
    asked, began = int(time.time() * 1000), time.monotonic()
    call_id = ann.originate("1002")
    ann.phone.rings(began)
    ann.phone.answer()
    rang = bob.phone.rings(began)
    bob.phone.answer()
    talk = bob.phone.talks(began)
    shown = ann.sees(call_id, "established")
    near("start", shown["startedAt"], asked)
    near("answer", shown["answeredAt"], talk["at"])
    assert shown["from"]["extension"] == "1001" and shown["to"]["extension"] == "1002"
    agree(ledger, call_id, ann, bob)
    bob.phone.hangup()
    end = ended(ledger, call_id, ann, bob, free=ann.phone.is_free(began))
    assert (end["reason"], end["cause"], end["hungUpBy"]) == ("hangup", 16, "1002")
    near("ring", of(ledger, call_id, "call:ringing", extension="1002")["timestamp"], rang["at"])
    near("talk", of(ledger, call_id, "call:established")["timestamp"], talk["at"])
    in_order(ledger.kinds(call_id), "call:originating", "call:dialing", "call:ringing",
             "call:established", "call:ended")


def test_held_and_taken_back_and_hung_up_by_rest(office, ledger):
    ann, bob = office.agents(1001, 1002)
    began = time.monotonic()
    call_id = office.talk(ann, bob)
    asked = int(time.time() * 1000)
    ann.hold(call_id)
    shown = ann.sees(call_id, "held")
    near("hold", shown["heldAt"], asked)
    assert shown["heldBy"] == "1001"
    assert_error(ann.rest.put(f"/api/ami/calls/{call_id}/hold"), 409, "already_held")
    time.sleep(0.5)
    ann.unhold(call_id)
    ann.sees(call_id, "established")
    assert_error(ann.rest.put(f"/api/ami/calls/{call_id}/unhold"), 409, "not_held")
    held = of(ledger, call_id, "call:unheld")["data"]["heldMs"]
    assert 500 <= held <= 5000
    ann.hang_up(call_id)
    bob.phone.is_free(began)
    end = ended(ledger, call_id, ann, bob, free=ann.phone.is_free(began))
    assert end["reason"] == "hangup"
    in_order(ledger.kinds(call_id), "call:established", "call:held", "call:unheld", "call:ended")
    assert_error(ann.rest.delete(f"/api/ami/calls/{call_id}"), 409, "call_ended")


def test_transferred_to_a_third(office, ledger):
    ann, bob, eve = office.agents(1001, 1002, 1003)
    began = time.monotonic()
    call_id = office.talk(ann, bob)
    asked = time.monotonic()
    ann.transfer(call_id, "1003")
    rang = eve.phone.rings(asked)
    ann.phone.is_free(asked)
    eve.phone.answer()
    talk = eve.phone.talks(asked)
    bob.sees(call_id, "established")
    moved = of(ledger, call_id, "call:transferred")
    assert (moved["data"]["from"], moved["data"]["to"]) == ("1001", "1003")
    near("ring", of(ledger, call_id, "call:ringing", extension="1003")["timestamp"], rang["at"])
    near("talk", ledger.events(call_id)[-1]["timestamp"], talk["at"])
    assert {"1001", "1002", "1003"} <= set(ledger.events(call_id)[-1]["extensions"])
    eve.hang_up(call_id)
    bob.phone.is_free(asked)
    end = ended(ledger, call_id, ann, bob, eve, free=eve.phone.is_free(asked))
    assert end["reason"] == "hangup"
    assert ledger.began_at - 1000 < end["startedAt"] and began


def test_busy(office, ledger):
    ann, bob = office.agents(1001, 1002)
    began = time.monotonic()
    call_id = ann.originate("1002")
    ann.phone.rings(began)
    ann.phone.answer()
    bob.phone.rings(began)
    bob.phone.hangup()
    end = ended(ledger, call_id, ann, bob, free=ann.phone.is_free(began))
    assert (end["reason"], end["cause"]) == ("busy", 17)
    assert "call:established" not in ledger.kinds(call_id) and "answeredAt" not in end


def test_declined(stack, office, ledger):
    ann, began = office.agent(1001), time.monotonic()
    address = f"{stack.prefix}.98"
    phone = Refuser(address, "603 Decline")
    stack.sql(f"UPDATE ps_aors SET contact = 'sip:1010@{address}:5060' WHERE id = '1010'")
    try:
        call_id = ann.originate("1010")
        ann.phone.rings(began)
        ann.phone.answer()
        end = ended(ledger, call_id, ann, free=ann.phone.is_free(began))
    finally:
        stack.sql("UPDATE ps_aors SET contact = NULL WHERE id = '1010'")
        phone.close()
    assert (end["reason"], end["cause"]) == ("declined", 21)
    near("refusal", end["endedAt"], phone.refused_at)


@pytest.fixture
def short_ring(stack):
    """1003 is rung for two seconds only."""
    stack.sql("INSERT INTO voice_extensions (context, exten, priority, app, appdata) VALUES "
              "('from-internal', '1003', 1, 'Dial', 'PJSIP/1003,2,tT'), "
              "('from-internal', '1003', 2, 'Hangup', '19')")
    yield
    stack.sql("DELETE FROM voice_extensions WHERE exten = '1003'")


def test_no_answer(office, ledger, short_ring):
    ann, eve = office.agents(1001, 1003)
    began = time.monotonic()
    call_id = ann.originate("1003")
    ann.phone.rings(began)
    ann.phone.answer()
    eve.phone.rings(began)
    eve.phone.is_free(began)
    end = ended(ledger, call_id, ann, eve, free=ann.phone.is_free(began))
    assert end["reason"] == "no_answer"


def test_no_answer_at_the_own_phone(office, ledger):
    ann, bob = office.agents(1001, 1002)
    began = time.monotonic()
    answer = ann.rest.post("/api/ami/calls/originate", {"to": "1002", "timeoutMs": 1500})
    call_id = answer.json()["callId"]
    ann.phone.rings(began)
    end = ended(ledger, call_id, ann, free=ann.phone.is_free(began))
    assert end["reason"] == "no_answer"
    assert not [event for at, event in bob.phone.events if at >= began]


def test_the_caller_gives_up(office, ledger):
    ann, bob = office.agents(1001, 1002)
    began = time.monotonic()
    call_id = office.ring(ann, bob)
    ann.phone.hangup()
    end = ended(ledger, call_id, ann, bob, free=bob.phone.is_free(began))
    assert (end["reason"], end["hungUpBy"]) == ("cancelled", "1001")


def test_hung_up_by_rest_while_it_rings(office, ledger):
    ann, bob = office.agents(1001, 1002)
    began = time.monotonic()
    call_id = office.ring(ann, bob)
    ann.hang_up(call_id)
    ann.phone.is_free(began)
    ended(ledger, call_id, ann, bob, free=bob.phone.is_free(began))


def test_to_a_phone_that_is_not_there(office, ledger):
    ann = office.agent(1001)
    began = time.monotonic()
    call_id = ann.originate("1010")
    ann.phone.rings(began)
    ann.phone.answer()
    end = ended(ledger, call_id, ann, free=ann.phone.is_free(began))
    assert end["reason"] == "unreachable"


def test_from_a_phone_that_is_not_there(office, ledger):
    manager = office.admin
    answer = manager.post("/api/ami/calls/originate", {"from": "1010", "to": "1001"})
    assert answer.status_code == 202, answer.text
    call_id = answer.json()["callId"]
    assert ledger.ended(call_id)["reason"] == "unreachable"
    assert manager.get(f"/api/ami/calls/{call_id}").json()["state"] == "ended"


def test_a_phone_dials_by_itself(office, ledger):
    ann, bob = office.agents(1001, 1002)
    began = time.monotonic()
    bob.phone.dial("1001")
    rang = ann.phone.rings(began)
    ann.phone.answer()
    talk = ann.phone.talks(began)
    call_id = ledger.call_of(bob)
    shown = ann.sees(call_id, "established")
    assert (shown["from"]["extension"], shown["to"]["extension"]) == ("1002", "1001")
    near("answer", shown["answeredAt"], talk["at"])
    near("ring", of(ledger, call_id, "call:ringing", extension="1001")["timestamp"], rang["at"])
    bob.phone.hangup()
    end = ended(ledger, call_id, bob, ann, free=ann.phone.is_free(began))
    assert (end["reason"], end["hungUpBy"]) == ("hangup", "1002")


def test_held_by_the_phone_itself(office, ledger):
    ann, bob = office.agents(1001, 1002)
    began = time.monotonic()
    call_id = office.talk(ann, bob)
    pressed = int(time.time() * 1000)
    bob.phone.hold()
    shown = ann.sees(call_id, "held")
    assert shown["heldBy"] == "1002"
    near("hold", shown["heldAt"], pressed)
    assert_error(ann.rest.put(f"/api/ami/calls/{call_id}/unhold"), 409, "not_held")
    bob.phone.resume()
    ann.sees(call_id, "established")
    ann.phone.hangup()
    end = ended(ledger, call_id, ann, bob, free=bob.phone.is_free(began))
    assert end["hungUpBy"] == "1001"
    in_order(ledger.kinds(call_id), "call:held", "call:unheld", "call:ended")


def test_an_agent_sees_its_own_calls_alone(office, ledger):
    ann, bob, eve = office.agents(1001, 1002, 1003)
    call_id = office.talk(ann, bob)
    assert_error(eve.rest.get(f"/api/ami/calls/{call_id}"), 403, "not_your_call")
    listed = {call["callId"] for call in eve.rest.get("/api/ami/calls").json()["calls"]}
    assert call_id not in listed
    assert eve.heard(call_id) == []
    listed = [call["callId"] for call in bob.rest.get("/api/ami/calls").json()["calls"]]
    assert listed[0] == call_id
    assert office.admin.get(f"/api/ami/calls/{call_id}").status_code == 200
