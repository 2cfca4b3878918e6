"""Control of calls beyond hold and hang-up: mute, digits, parking, supervision, recordings."""

import hashlib
import json
import time

from lib.calls import (agent, call, channels, feed, gateway, lifecycle,  # noqa: F401
                       manager)
from lib.client import assert_error
from lib.process import wait_until

RECORDING = "1700000000000-0123abcd"


def now():
    return int(time.time() * 1000)


def legs(redis, call):
    return {leg["extension"]: leg
            for leg in json.loads(redis.hget(f"call:{call}", "channels"))}


def done(redis, gateway, call, number=-1):
    """What the gateway writes when Asterisk took the action."""
    action = gateway.actions[number]
    feed(redis, [{"t": now(), "n": 1, "Event": "MaydayDone", "callId": call,
                  "actionId": action["id"], "action": action["action"], "data": action["data"]}])


def of_channel(event, leg, call, **more):
    return {"t": now(), "n": 1, "Event": event, "Channel": leg["channel"], "ChannelState": "6",
            "CallerIDNum": leg["extension"], "Exten": "s", "Uniqueid": leg["uniqueid"],
            "Linkedid": call, **more}


def audited(redis):
    return [json.loads(fields["a"]) for _, fields in redis.xrange("audit")]


def test_mute_and_digits(redis, agent, manager, call, gateway):  # noqa: F811
    names = channels(redis, call)
    assert agent.put(f"/api/ami/calls/{call}/mute").status_code == 202
    assert gateway.actions[-1]["action"] == "MuteAudio"
    assert gateway.fields() == {"Channel": names["1001"], "Direction": "in", "State": "on"}
    done(redis, gateway, call)
    assert legs(redis, call)["1001"]["muted"] is True and "muted" not in legs(redis, call)["1002"]
    assert manager.put(f"/api/ami/calls/{call}/unmute?extension=1002").status_code == 202
    assert gateway.fields() == {"Channel": names["1002"], "Direction": "in", "State": "off"}
    assert_error(agent.put(f"/api/ami/calls/{call}/mute?extension=1002"), 403,
                 "not_your_extension")
    assert_error(manager.put(f"/api/ami/calls/{call}/mute?extension=1005"), 409, "not_connected")
    assert_error(agent.put(f"/api/ami/calls/{call}/mute?extension=x"), 400, "invalid_extension")
    gateway.actions.clear()
    assert agent.post(f"/api/ami/calls/{call}/dtmf", {"digits": "1#"}).status_code == 202
    assert [gateway.fields(i) for i in range(2)] == [
        {"Channel": names["1002"], "Digit": digit, "Duration": "80"} for digit in "1#"]
    gateway.actions.clear()
    gateway.answer = lambda action: ("error", "Failed") if len(gateway.actions) == 2 else (
        "success", "ok")
    assert_error(agent.post(f"/api/ami/calls/{call}/dtmf", {"digits": "123"}), 409,
                 "refused_by_pbx")
    assert len(gateway.actions) == 2


BAD = {
    "dtmf": [{}, {"digits": ""}, {"digits": "1" * 33}, {"digits": 1}, {"digits": "1 2"},
             {"digits": "1\r\n"}, {"digits": "a"}, {"digits": "1", "more": 1}],
    "park": [{"timeoutMs": 999}, {"timeoutMs": 3600001}, {"timeoutMs": "5000"},
             {"timeoutMs": 1000.5}, {"timeoutMs": 5000, "more": 1}, {"space": "701"}],
    "retrieve": [{"extension": ""}, {"extension": 1001}, {"extension": "x"},
                 {"extension": "1009", "more": 1}, {"extension": "1\n"}],
    "supervise": [{}, {"mode": "spy"}, {"mode": 1}, {"mode": "listen", "extension": ""},
                  {"mode": "listen", "target": "a,b"}, {"mode": "listen", "target": 1},
                  {"mode": "listen", "options": "q"}],
}


def test_bad_bodies_do_nothing(redis, manager, call, gateway):  # noqa: F811
    for what, bodies in BAD.items():
        for body in bodies:
            response = manager.post(f"/api/ami/calls/{call}/{what}", body)
            assert response.status_code == 400, f"{what} {body}: {response.text}"
            assert response.json()["error"]["code"] in ("invalid_field", "unknown_field"), body
    for path in ("channels/1.1", "channels/..%2F", "channels/" + "x" * 150):
        assert_error(manager.delete(f"/api/ami/calls/{call}/{path}"), 404, "channel_not_found")
    for bad in ("x", "1-", "1700000000000-0123abcd.", "1700000000000-0123abcd.x", "1" * 60):
        for path in ("", "/audio"):
            assert_error(manager.get(f"/api/ami/recordings/{bad}{path}"), 404,
                         "recording_not_found")
    assert gateway.actions == [] and audited(redis) == []


def test_parked_and_retrieved(redis, agent, manager, call, gateway):  # noqa: F811
    names = channels(redis, call)
    assert_error(agent.post(f"/api/ami/calls/{call}/retrieve", {}), 409, "not_parked")
    assert agent.post(f"/api/ami/calls/{call}/park", {"timeoutMs": 5000}).status_code == 202
    assert gateway.actions[-1]["action"] == "Park"
    assert gateway.fields() == {"Channel": names["1002"], "TimeoutChannel": names["1001"],
                                "Timeout": "5000"}
    both = legs(redis, call)
    feed(redis, [of_channel("BridgeLeave", each, call, BridgeUniqueid=each["bridge"])
                 for each in both.values()] +
         [{"t": now(), "n": 1, "Event": "ParkedCall", "ParkeeChannel": both["1002"]["channel"],
           "ParkeeUniqueid": both["1002"]["uniqueid"], "ParkingSpace": "701",
           "Parkinglot": "default", "ParkingTimeout": "5"},
          of_channel("Hangup", both["1001"], call, Cause="16")])
    shown = agent.get(f"/api/ami/calls/{call}").json()
    assert shown["state"] == "parked"
    assert shown["park"].items() >= {"space": "701", "lot": "default", "party": "1002"}.items()
    assert_error(agent.post(f"/api/ami/calls/{call}/retrieve", {"extension": "1005"}), 403,
                 "not_your_extension")
    answer = manager.post(f"/api/ami/calls/{call}/retrieve", {"extension": "1005"})
    assert answer.status_code == 202 and answer.json()["parkedCallId"] == call
    wait_until(lambda: gateway.actions[-1]["action"] == "Originate", 5, "originate")
    assert gateway.fields().items() >= {"Channel": "PJSIP/1005", "Exten": "701",
                                        "ChannelId": answer.json()["callId"]}.items()


def test_supervised(redis, agent, manager, call, gateway):  # noqa: F811
    body = {"mode": "whisper", "target": "1002"}
    assert_error(agent.post(f"/api/ami/calls/{call}/supervise", body), 403, "forbidden")
    answer = manager.post(f"/api/ami/calls/{call}/supervise", body)
    assert answer.status_code == 202, answer.text
    assert answer.json().items() >= {"supervises": call, "mode": "whisper"}.items()
    wait_until(lambda: gateway.actions, 5, "action")
    target = legs(redis, call)["1002"]["uniqueid"]
    assert gateway.fields().items() >= {"Channel": "PJSIP/1009", "Application": "ChanSpy",
                                        "Data": f"{target},uqEw"}.items()
    (entry,) = audited(redis)
    assert entry["v"] == 1 and entry["action"] == "call:supervised"
    assert (entry["subject"], entry["actorId"]) == (f"call:{call}", "u-user-1009")
    assert entry["detail"] == "whisper 1002 from 1009" and entry["address"] and entry["at"]
    assert_error(manager.post(f"/api/ami/calls/{call}/supervise",
                              {"mode": "listen", "target": "1007"}), 409, "not_connected")


def test_recorded(redis, rest, session, lifecycle, agent, call, gateway):  # noqa: F811
    names, both = channels(redis, call), legs(redis, call)
    path = f"/api/ami/calls/{call}/recording"
    for method, more in (("DELETE", ""), ("PUT", "/pause"), ("PUT", "/resume")):
        assert_error(agent.call(method, path + more), 409, "not_recording")
    answer = agent.post(path)
    assert answer.status_code == 202, answer.text
    one = answer.json()["recordingId"]
    assert gateway.actions[-1]["action"] == "MixMonitor"
    assert gateway.fields()["Channel"] == names["1002"], "the other party stays in a transfer"
    assert gateway.fields()["File"].endswith(f"/{one}.wav")
    done(redis, gateway, call)
    (shown,) = agent.get(f"/api/ami/calls/{call}").json()["recordings"]
    assert shown["state"] == "recording" and shown["path"] == gateway.fields()["File"]
    assert_error(agent.post(path), 409, "already_recording")
    assert_error(agent.put(path + "/resume"), 409, "not_paused")
    assert_error(agent.get(f"/api/ami/recordings/{one}/audio"), 409, "still_recording")
    assert agent.put(path + "/pause").status_code == 202
    assert gateway.fields() == {"Channel": names["1002"], "Direction": "both", "State": "1"}
    feed(redis, [of_channel("MixMonitorMute", both["1002"], call, Direction="both", State="1")])
    assert_error(agent.put(path + "/pause"), 409, "already_paused")
    assert agent.put(path + "/resume").status_code == 202
    feed(redis, [of_channel("MixMonitorMute", both["1002"], call, Direction="both", State="0")])
    assert agent.delete(path).status_code == 202
    assert gateway.actions[-1]["action"] == "StopMixMonitor"
    feed(redis, [of_channel("MixMonitorStop", both["1002"], call)])
    known = agent.get(f"/api/ami/recordings/{one}").json()
    assert known["state"] == "ended" and known["callId"] == call and known["endedAt"]
    assert sorted(known["extensions"]) == ["1001", "1002"] and known["by"] == "u-user-1001"
    told = [json.loads(fields["e"]) for _, fields in redis.xrange("events:call")]
    assert [event["data"]["recording"] for event in told
            if event["eventType"] == "call:recorded"] == ["started", "paused", "resumed",
                                                          "stopped"]
    heard = agent.get(f"/api/ami/recordings/{one}/audio")
    assert heard.headers["X-Accel-Redirect"] == "/_recordings/" + shown["path"]
    stranger = rest(lifecycle, session("agent", "1003"))
    for more in ("", "/audio"):
        assert_error(stranger.get(f"/api/ami/recordings/{one}{more}"), 403, "not_your_call")
    assert [entry["action"] for entry in audited(redis)] == [
        f"call:recording_{what}" for what in ("started", "paused", "resumed", "stopped")] + [
        "recording:heard"]


def test_the_file_is_read_once_and_goes_in_time(redis, daemon, manager, tmp_path):  # noqa: F811
    old = "1500000000000-00000001"
    for name, at in ((RECORDING, now() - 5000), (old, 1500000000000)):
        day = tmp_path / ("2023-11-14" if name == RECORDING else "2017-07-14")
        day.mkdir()
        (day / f"{name}.wav").write_bytes(b"RIFF" + name.encode())
        redis.hset(f"recording:{name}", mapping={"recordingId": name, "callId": "c", "pbx": "main",
                                                 "state": "ended", "startedAt": at, "endedAt": at,
                                                 "extensions": "[]"})
        redis.zadd("recordings:kept", {name: at})
        redis.zadd("recordings:unsummed", {name: at})
    daemon("call-lifecycle", LIFECYCLE_RECORDINGS_DIR=tmp_path, LIFECYCLE_RECORDINGS_DAYS=3000)
    wait_until(lambda: redis.zrange("recordings:kept", 0, -1) == [RECORDING], 20, "the old one gone")
    assert not list(tmp_path.glob(f"*/{old}.wav")) and not redis.exists(f"recording:{old}")
    wait_until(lambda: not redis.exists("recordings:unsummed"), 20, "sums")
    text = b"RIFF" + RECORDING.encode()
    assert redis.hgetall(f"recording:{RECORDING}").items() >= {
        "sha256": hashlib.sha256(text).hexdigest(), "bytes": str(len(text))}.items()
    assert manager.get(f"/api/ami/recordings/{RECORDING}").json()["bytes"] == len(text)


def test_where_a_call_may_go(redis, agent, manager, gateway):  # noqa: F811
    shown = agent.post("/api/ami/calls/originate", {"to": "74951234567", "dryRun": True,
                                                    "callerId": "74950000000"})
    assert shown.status_code == 200, shown.text
    assert shown.json()["fields"][:4] == [["Channel", "PJSIP/1001"], ["Context", "from-internal"],
                                          ["Exten", "74951234567"], ["Priority", "1"]]
    assert gateway.actions == [] and redis.keys("call:*") == []
    answer = manager.post("/api/ami/calls/originate", {"from": "1003", "queue": "support"})
    assert answer.status_code == 202, answer.text
    wait_until(lambda: gateway.actions, 5, "action")
    assert gateway.fields().items() >= {"Application": "Queue", "Data": "support"}.items()
    for body in ({"queue": ""}, {"queue": "a,b"}, {"queue": 1}, {"queue": "a\r\n"},
                 {"queue": "support", "to": "1002"}, {"to": "1002", "dryRun": "yes"}):
        assert_error(agent.post("/api/ami/calls/originate", body), 400, "invalid_field")
