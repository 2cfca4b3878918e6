"""What REST does to a real call, as the phones, the recorded sound and Asterisk itself show it."""

import io
import math
import struct
import time
import wave

import pytest
import requests

from lib.client import assert_error
from lib.process import wait_until

RATE = 8000
MUSIC_HZ = 350  # of deploy/local/lib/tone
PART = 1600  # samples of a fifth of a second: whole periods of every phone's tone


def strength(samples, hertz):
    """How much of this tone there is (Goertzel), 0 to 1."""
    if not samples:
        return 0.0
    turn = 2 * math.cos(2 * math.pi * hertz / RATE)
    one = two = 0.0
    for sample in samples:
        one, two = sample + turn * one - two, one
    power = one * one + two * two - turn * one * two
    return 2 * math.sqrt(max(power, 0.0)) / len(samples) / 32768


def tone_of(agent):
    return 300 + 50 * (int(agent.extension) - 1000)


def heard(sound, agent):
    """For every fifth of a second whether the agent's tone is to be heard in it."""
    return [strength(part, tone_of(agent)) > 0.01 for part in parts(sound)]


def parts(sound):
    with wave.open(io.BytesIO(sound)) as file:
        assert (file.getframerate(), file.getsampwidth(), file.getnchannels()) == (RATE, 2, 1)
        data = file.readframes(file.getnframes())
    samples = struct.unpack(f"<{len(data) // 2}h", data)
    return [samples[i:i + PART] for i in range(0, len(samples) - PART + 1, PART)]


def shown(sound, *agents):
    return {agent.extension: "".join(".#"[part] for part in heard(sound, agent))
            for agent in agents}


def recordings(agent, call_id, state=None):
    return [each for each in agent.call(call_id)["recordings"]
            if state is None or each["state"] == state]


def wait_for(agent, call_id, state):
    return wait_until(lambda: recordings(agent, call_id, state), 10, f"recording {state}")[-1]


def sound_of(office, agent, recording_id, **headers):
    return requests.get(f"{office.stack.url}/api/ami/recordings/{recording_id}/audio",
                        headers={"Authorization": f"Bearer {agent.rest.token}", **headers}, timeout=10)


def audited(office):
    return [(each["a"]) for _, each in office.stack.redis_client().xrange("audit")]


def test_recorded_paused_transferred_and_heard(office, ledger):
    ann, bob, eve = office.agents(1001, 1002, 1003)
    call_id = office.talk(ann, bob)
    answer = ann.ask("POST", f"/{call_id}/recording")
    began = time.monotonic()
    wait_for(ann, call_id, "recording")
    assert_error(bob.rest.post(f"/api/ami/calls/{call_id}/recording"), 409, "already_recording")
    time.sleep(1.5)
    ann.ask("PUT", f"/{call_id}/recording/pause")
    wait_for(ann, call_id, "paused")
    paused = time.monotonic() - began
    time.sleep(1.5)
    ann.ask("PUT", f"/{call_id}/recording/resume")
    wait_for(ann, call_id, "recording")
    resumed = time.monotonic() - began
    asked = time.monotonic()
    ann.transfer(call_id, "1003")
    eve.phone.rings(asked)
    eve.phone.answer()
    eve.phone.talks(asked)
    began = time.monotonic()
    bob.sees(call_id, "established")
    time.sleep(2)
    assert [each["state"] for each in recordings(bob, call_id)] == ["recording"]
    talked = time.monotonic() - began
    bob.hang_up(call_id)
    ledger.ended(call_id)
    (done,) = recordings(bob, call_id, "ended")
    assert done["recordingId"] == answer["recordingId"]
    kinds = [event["data"]["recording"] for event in ledger.events(call_id)
             if event["eventType"] == "call:recorded"]
    assert kinds == ["started", "paused", "resumed", "stopped"]
    sound = sound_of(office, ann, done["recordingId"])
    assert sound.status_code == 200 and sound.headers["Content-Type"] == "audio/wav", sound.text
    assert abs(len(sound.content) / 2 / RATE * 1000 - done["durationMs"]) < 1500
    tones = heard(sound.content, bob)
    quiet = tones[int(paused * 5) + 2:int(resumed * 5) - 2]
    assert any(tones[:int(paused * 5)]) and not any(quiet), tones
    # Who came by the transfer, from the first second on to the end; and bob, who was there before.
    last = int(talked * 5)
    assert sum(heard(sound.content, eve)[-last:]) > last - 5, shown(sound.content, ann, bob, eve)
    assert sum(tones[-last:]) > last - 3, shown(sound.content, ann, bob, eve)
    part = sound_of(office, ann, done["recordingId"], Range="bytes=0-3")
    assert (part.status_code, part.content) == (206, b"RIFF")
    known = wait_until(lambda: (found := ann.rest.get(
        f"/api/ami/recordings/{done['recordingId']}").json()).get("sha256") and found, 20, "sum")
    assert known["bytes"] == len(sound.content)
    outside = requests.get(f"{office.stack.url}/_recordings/{done['path']}", timeout=10)
    assert outside.status_code == 404


def test_recording_goes_on_when_the_one_listened_to_leaves(office, ledger):
    ann, bob, eve = office.agents(1001, 1002, 1003)
    call_id = office.talk(ann, bob)
    first = ann.ask("POST", f"/{call_id}/recording")["recordingId"]
    wait_for(ann, call_id, "recording")
    asked = time.monotonic()
    bob.transfer(call_id, "1003")
    eve.phone.rings(asked)
    eve.phone.answer()
    eve.phone.talks(asked)
    wait_until(lambda: [(each["recordingId"], each["state"]) for each in recordings(ann, call_id)]
               == [(first, "ended"), (f"{first}.2", "recording")], 10, "the second part")
    time.sleep(1.5)
    ann.hang_up(call_id)
    ledger.ended(call_id)
    assert [each["state"] for each in recordings(ann, call_id)] == ["ended", "ended"]
    sound = sound_of(office, ann, f"{first}.2").content
    assert sum(heard(sound, ann)) >= 5 and sum(heard(sound, eve)) >= 5, shown(sound, ann, eve)


def test_music_for_the_one_on_hold(office, ledger):
    """Neither phone knows of the hold: what bob hears is music, and then ann again. (1001 sounds as
    the music does.)"""
    ann, bob = office.agents(1002, 1003)
    call_id = office.talk(ann, bob)
    answer = ann.ask("POST", f"/{call_id}/recording")
    wait_for(ann, call_id, "recording")
    time.sleep(1)
    ann.hold(call_id)
    bob.sees(call_id, "held")
    time.sleep(1.5)
    ann.unhold(call_id)
    bob.sees(call_id, "established")
    time.sleep(1.5)
    ann.hang_up(call_id)
    ledger.ended(call_id)
    assert [each["recordingId"] for each in recordings(bob, call_id)] == [answer["recordingId"]]
    sound = sound_of(office, ann, answer["recordingId"]).content
    music = [strength(part, MUSIC_HZ) > 0.01 for part in parts(sound)]
    tones = heard(sound, ann)
    first, last = music.index(True), len(music) - music[::-1].index(True)
    seen = "".join(".#"[tone] for tone in tones), "".join(".#"[tone] for tone in music)
    assert last - first >= 6 and all(music[first + 1:last - 1]), seen
    assert any(tones[:first]) and not any(tones[first + 1:last - 1]) and any(tones[last + 1:]), seen


def test_an_application(office, ledger):
    """The echo of the dialplan: answered, and no talk with anybody."""
    ann = office.agent(1001)
    began = time.monotonic()
    call_id = ann.originate("600")
    ann.phone.rings(began)
    ann.phone.answer()
    ann.sees(call_id, "established")
    time.sleep(1.5)
    ann.phone.hangup()
    assert ledger.ended(call_id)["result"] == "answered"
    (segment,) = ann.call(call_id)["segments"]
    assert (segment["kind"], segment["from"], segment["to"], segment["result"]) == (
        "application", "1001", "600", "answered")


def test_muted(office, ledger):
    ann, bob = office.agents(1001, 1002)
    call_id = office.talk(ann, bob)
    answer = bob.ask("POST", f"/{call_id}/recording")
    began = time.monotonic()
    wait_for(ann, call_id, "recording")
    time.sleep(1)
    bob.ask("PUT", f"/{call_id}/mute")
    wait_until(lambda: any(leg.get("muted") for leg in ann.call(call_id)["channels"]), 5, "muted")
    muted = time.monotonic() - began
    time.sleep(1.5)
    bob.ask("PUT", f"/{call_id}/unmute")
    unmuted = time.monotonic() - began
    wait_until(lambda: not any(leg.get("muted") for leg in ann.call(call_id)["channels"]), 5,
               "unmuted")
    time.sleep(1)
    ann.ask("DELETE", f"/{call_id}/recording")
    wait_for(ann, call_id, "ended")
    assert_error(ann.rest.delete(f"/api/ami/calls/{call_id}/recording"), 409, "not_recording")
    ann.hang_up(call_id)
    ledger.ended(call_id)
    tones = heard(sound_of(office, ann, answer["recordingId"]).content, bob)
    assert any(tones[:int(muted * 5)]) and any(tones[int(unmuted * 5) + 2:]), tones
    shown = "".join(".#"[tone] for tone in tones)
    assert not any(tones[int(muted * 5) + 2:int(unmuted * 5) - 2]), (shown, muted, unmuted)


def test_digits(office, ledger):
    ann, bob = office.agents(1001, 1002)
    asked = time.monotonic()
    call_id = office.talk(ann, bob)
    bob.phone.wait("CALL_RTPESTAB", since=asked)
    began = time.monotonic()
    ann.ask("POST", f"/{call_id}/dtmf", {"digits": "4#7"})

    def digits():
        return [event["param"] for at, event in bob.phone.events
                if at >= began and event["type"] == "CALL_DTMF_START"]
    wait_until(lambda: digits() == ["4", "#", "7"], 10, "digits")
    ann.hang_up(call_id)
    ledger.ended(call_id)


def test_parked_and_retrieved(office, ledger):
    ann, bob, eve = office.agents(1001, 1002, 1003)
    call_id = office.talk(ann, bob)
    began = time.monotonic()
    ann.ask("POST", f"/{call_id}/park", {"timeoutMs": 60000})
    ann.phone.is_free(began)
    shown = bob.sees(call_id, "parked")
    assert shown["park"]["space"] == "701" and shown["park"]["party"] == "1002"
    assert_error(eve.rest.post(f"/api/ami/calls/{call_id}/retrieve", {}), 403, "not_your_call")
    began = time.monotonic()
    answer = ann.ask("POST", f"/{call_id}/retrieve", {})
    assert answer["parkedCallId"] == call_id
    ann.phone.rings(began)
    ann.phone.answer()
    shown = bob.sees(call_id, "established")
    assert "park" not in shown and shown["mergedFrom"] == [answer["callId"]]
    assert ledger.ended(answer["callId"])["reason"] == "merged"
    assert_error(ann.rest.post(f"/api/ami/calls/{call_id}/retrieve", {}), 409, "not_parked")
    bob.phone.hangup()
    ledger.ended(call_id)


@pytest.mark.parametrize("mode", ["listen", "whisper", "barge"])
def test_supervised(office, ledger, mode):
    ann, bob, eve = office.agents(1001, 1002, 1003)
    call_id = office.talk(ann, bob)
    assert_error(eve.rest.post(f"/api/ami/calls/{call_id}/supervise", {"mode": mode}), 403,
                 "forbidden")
    began = time.monotonic()
    answer = office.admin.post(f"/api/ami/calls/{call_id}/supervise",
                               {"mode": mode, "extension": "1003", "target": "1002"})
    assert answer.status_code == 202, answer.text
    assert answer.json()["supervises"] == call_id
    own = answer.json()["callId"]
    eve.phone.rings(began)
    eve.phone.answer()

    def segments():
        return office.admin.get(f"/api/ami/calls/{own}").json().get("segments", [])
    wait_until(lambda: [(each["kind"], each["from"], each["to"]) for each in segments()] ==
               [("supervision", "1003", "1002")], 10, "supervision")
    assert any('"call:supervised"' in each and call_id in each for each in audited(office))
    ann.hang_up(call_id)
    ledger.ended(call_id)
    assert ledger.ended(own)["result"] == "answered"
    eve.phone.is_free(began)


def test_one_channel_hung_up(office, ledger):
    ann, bob, eve = office.agents(1001, 1002, 1003)
    call_id = office.talk(ann, bob)
    legs = {leg["extension"]: leg["uniqueid"] for leg in ann.call(call_id)["channels"]}
    assert_error(ann.rest.delete(f"/api/ami/calls/{call_id}/channels/1.1"), 404,
                 "channel_not_found")
    assert_error(eve.rest.delete(f"/api/ami/calls/{call_id}/channels/{legs['1002']}"), 403,
                 "not_your_call")
    began = time.monotonic()
    ann.ask("DELETE", f"/{call_id}/channels/{legs['1002']}")
    bob.phone.is_free(began)
    assert ledger.ended(call_id)["hungUpBy"] == "1001"
    assert (ann.call(call_id)["hangup"]["by"], ann.call(call_id)["hangup"]["party"]) == (
        "caller", "1001")


def test_to_a_queue(office, ledger):
    ann = office.agent(1001)
    shown = ann.rest.post("/api/ami/calls/originate", {"queue": "support", "dryRun": True})
    assert shown.status_code == 200 and ["Application", "Queue"] in shown.json()["fields"]
    began = time.monotonic()
    call_id = ann.ask("POST", "/originate", {"queue": "support"})["callId"]
    ann.phone.rings(began)
    ann.phone.answer()
    assert ann.sees(call_id, "queued")["queue"]["name"] == "support"
    ann.phone.hangup()
    assert ledger.ended(call_id)["result"] == "abandoned"
