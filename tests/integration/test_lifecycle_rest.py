"""The routes of call-lifecycle, with a gateway that the test plays itself."""

import json
import time

import pytest

from lib.calls import (agent, call, channels, events_of, feed, gateway, hold,  # noqa: F401
                       lifecycle, manager)
from lib.client import assert_error
from lib.process import wait_until

# ---- originate ----

def test_originate(redis, agent, gateway):
    response = agent.post("/api/ami/calls/originate", {"to": "1002"})
    assert response.status_code == 202, response.text
    call = response.json()["callId"]
    assert response.json()["state"] == "originating"
    assert 0 < redis.ttl(f"call:{call}") <= 60
    wait_until(lambda: gateway.actions, 5, "action")
    (action,) = gateway.actions
    assert action["action"] == "Originate" and action["callId"] == call
    assert gateway.fields() == {
        "Channel": "PJSIP/1001", "Context": "from-internal", "Exten": "1002", "Priority": "1",
        "Timeout": "30000", "Async": "true", "ChannelId": call}
    assert action["data"] == {"from": "1001", "to": "1002", "requestedBy": "u-user-1001",
                              "timeoutMs": 30000}
    assert agent.get(f"/api/ami/calls/{call}").json()["state"] == "originating"


def test_originate_is_followed(redis, agent, gateway):
    call = agent.post("/api/ami/calls/originate", {"to": "1002"}).json()["callId"]
    wait_until(lambda: gateway.actions, 5, "action")
    action = gateway.actions[0]
    feed(redis, [{"t": int(time.time() * 1000), "n": 1, "Event": "MaydayOriginate",
                  "callId": call, "actionId": action["id"], "fields": action["fields"],
                  "data": action["data"]}])
    assert redis.ttl(f"call:{call}") == -1
    view = agent.get(f"/api/ami/calls/{call}").json()
    assert view["requestedBy"] == "u-user-1001"
    assert view["from"] == {"number": "1001", "extension": "1001"}
    assert [line["event"] for line in view["timeline"]] == ["originating"]


def test_originate_with_everything(manager, gateway):
    response = manager.post("/api/ami/calls/originate", {
        "from": "1003", "to": "74951234567", "callerId": "74950000000", "timeoutMs": 5000,
        "variables": {"CAMPAIGN": "spring", "ORDER": "12 ü"}})
    assert response.status_code == 202, response.text
    wait_until(lambda: gateway.actions, 5, "action")
    assert gateway.actions[0]["fields"][-3:] == [
        ["CallerID", "74950000000"], ["Variable", "CAMPAIGN=spring"], ["Variable", "ORDER=12 ü"]]


BAD_ORIGINATES = [
    {}, {"to": ""}, {"to": 1002}, {"to": None}, {"to": ["1002"]}, {"to": "10 02"},
    {"to": "1002\r\nAction: Hangup"}, {"to": "1002\n"}, {"to": "1\0"}, {"to": "1" * 33},
    {"to": "1002,1"}, {"to": "1002", "from": "PJSIP/1001"}, {"to": "1002", "from": ""},
    {"to": "1002", "timeoutMs": 999}, {"to": "1002", "timeoutMs": "5000"},
    {"to": "1002", "timeoutMs": 1e12}, {"to": "1002", "timeoutMs": 1500.5},
    {"to": "1002", "callerId": "x\r\ny"}, {"to": "1002", "callerId": "\"A\" <1>"},
    {"to": "1002", "variables": []}, {"to": "1002", "variables": {"OTHER": "1"}},
    {"to": "1002", "variables": {"CAMPAIGN": 1}}, {"to": "1002", "variables": {"CAMPAIGN": ""}},
    {"to": "1002", "variables": {"CAMPAIGN": "a\r\nb"}},
    {"to": "1002", "variables": {"CAMPAIGN": "a,SHELL(x)=1"}},
    {"to": "1002", "variables": {"CAMPAIGN": "x" * 201}}, {"to": "1002", "context": "default"},
]


@pytest.mark.parametrize("body", BAD_ORIGINATES, ids=lambda body: json.dumps(body)[:60])
def test_bad_originates(redis, agent, gateway, body):
    response = agent.post("/api/ami/calls/originate", body)
    assert response.status_code == 400, response.text
    assert response.json()["error"]["code"] in ("invalid_field", "unknown_field", "invalid_json")
    time.sleep(0.1)
    assert gateway.actions == [] and redis.keys("call:*") == []


def test_an_agent_calls_from_its_own_extension(agent, gateway):
    assert_error(agent.post("/api/ami/calls/originate", {"from": "1002", "to": "1003"}), 403,
                 "not_your_extension")
    assert gateway.actions == []


def test_same_key_same_call(agent, gateway):
    answers = [agent.post("/api/ami/calls/originate", {"to": "1002"},
                          headers={"Idempotency-Key": "k-1"}) for _ in range(3)]
    assert {answer.json()["callId"] for answer in answers} == {answers[0].json()["callId"]}
    time.sleep(0.1)
    assert len(gateway.actions) == 1


def test_asterisk_away(redis, agent, call, gateway):
    redis.hset("pbx:main", "state", "down")
    wait_until(lambda: agent.post("/api/ami/calls/originate", {"to": "1002"}).status_code == 503,
               5, "seen")
    gateway.actions.clear()
    assert_error(agent.post("/api/ami/calls/originate", {"to": "1002"}), 503, "pbx_unavailable")
    assert_error(agent.put(f"/api/ami/calls/{call}/hold"), 503, "pbx_unavailable")
    assert_error(agent.delete(f"/api/ami/calls/{call}"), 503, "pbx_unavailable")
    assert agent.get(f"/api/ami/calls/{call}").json()["stale"] is True
    assert gateway.actions == []


def test_redis_away(redis_server, agent):
    redis_server.kill9()
    began = time.monotonic()
    response = agent.post("/api/ami/calls/originate", {"to": "1002"})
    assert response.status_code == 503 and response.headers["Retry-After"]
    assert time.monotonic() - began < 2
    redis_server.start()


# ---- control ----

def test_hold_and_unhold(redis, agent, call, gateway):
    response = agent.put(f"/api/ami/calls/{call}/hold")
    assert response.status_code == 202 and response.json() == {"callId": call}
    names = channels(redis, call)
    assert gateway.fields() == {
        "Channel": names["1001"], "ExtraChannel": names["1002"], "Context": "mayday-hold",
        "Exten": "agent", "Priority": "1", "ExtraContext": "mayday-hold",
        "ExtraExten": "customer", "ExtraPriority": "1"}
    hold(redis, call)
    view = agent.get(f"/api/ami/calls/{call}").json()
    assert view["state"] == "held" and view["heldBy"] == "1001" and view["heldAt"] > 0
    assert_error(agent.put(f"/api/ami/calls/{call}/hold"), 409, "already_held")
    assert agent.put(f"/api/ami/calls/{call}/unhold").status_code == 202
    assert gateway.actions[-1]["action"] == "Bridge"
    assert gateway.fields() == {"Channel1": names["1001"], "Channel2": names["1002"], "Tone": "no"}


def test_unheld_call_goes_on(redis, agent, call):
    legs = json.loads(redis.hget(f"call:{call}", "channels"))
    hold(redis, call)
    now = int(time.time() * 1000)
    feed(redis, [{"t": now + 500, "n": 1, "Event": "BridgeEnter", "Channel": leg["channel"],
                  "Context": "mayday-hold", "Exten": "agent", "Uniqueid": leg["uniqueid"],
                  "Linkedid": call, "BridgeUniqueid": "again", "BridgeType": "basic"}
                 for leg in legs])
    view = agent.get(f"/api/ami/calls/{call}").json()
    assert view["state"] == "established" and view["holdMs"] >= 500 and "heldBy" not in view
    assert [line["event"] for line in view["timeline"]][-2:] == ["held", "unheld"]
    assert len(view["segments"]) == 1


def test_who_is_left_on_hold_is_hung_up(redis, agent, call, gateway):
    hold(redis, call)
    legs = {leg["extension"]: leg for leg in json.loads(redis.hget(f"call:{call}", "channels"))}
    gone = legs["1002"]
    feed(redis, [{"t": int(time.time() * 1000), "n": 1, "Event": "Hangup",
                  "Channel": gone["channel"], "ChannelState": "6", "CallerIDNum": "1002",
                  "Exten": "customer", "Uniqueid": gone["uniqueid"], "Linkedid": call,
                  "Cause": "16"}])
    wait_until(lambda: gateway.actions, 5, "hangup")
    assert gateway.actions[0]["action"] == "Hangup"
    assert gateway.fields(0) == {"Channel": legs["1001"]["channel"]}


def test_nothing_to_unhold(agent, call):
    assert_error(agent.put(f"/api/ami/calls/{call}/unhold"), 409, "not_held")


def test_held_by_a_phone(redis, lifecycle, agent):
    entries = events_of()
    end = next(i for i, e in enumerate(entries) if e["Event"] == "Hold") + 1
    feed(redis, entries[:end])
    (call,) = redis.smembers("calls:live:main")
    assert agent.get(f"/api/ami/calls/{call}").json()["state"] == "held"
    response = agent.put(f"/api/ami/calls/{call}/unhold")
    assert_error(response, 409, "not_held")
    assert "phone" in response.json()["error"]["message"]


def test_hang_up(redis, agent, call, gateway):
    assert agent.delete(f"/api/ami/calls/{call}").status_code == 202
    assert sorted(dict(action["fields"])["Channel"] for action in gateway.actions) == \
        sorted(channels(redis, call).values())
    assert {action["action"] for action in gateway.actions} == {"Hangup"}


def test_one_leg_was_gone_already(agent, call, gateway):
    gateway.answer = lambda action: ("success", "ok") if len(gateway.actions) == 1 else (
        "error", "No such channel")
    assert agent.delete(f"/api/ami/calls/{call}").status_code == 202


@pytest.mark.parametrize("answer, status, code", [
    (("error", "Channel does not exist: X"), 409, "refused_by_pbx"),
    (("unavailable", "not connected"), 503, "pbx_unavailable"),
    (("expired", "too late"), 504, "expired"),
    (("invalid", "too long"), 400, "invalid_action"),
    (("outcome_unknown", "the connection was lost"), 502, "outcome_unknown"),
    (None, 502, "outcome_unknown"),
])
def test_what_asterisk_says(agent, call, gateway, answer, status, code):
    gateway.answer = lambda action: answer
    response = agent.put(f"/api/ami/calls/{call}/hold")
    assert_error(response, status, code)
    if answer:
        assert answer[1] in response.json()["error"]["message"]


def test_answers_that_make_no_sense(redis, agent, call, gateway):
    def answer(action):
        for text in ("", "{", "[]", '{"v":1,"id":"other","outcome":"success","message":""}',
                     '{"v":1,"outcome":"success"}', '{"v":1,"id":7,"outcome":"maybe"}'):
            redis.xadd(action["replyTo"], {"r": text})
        return "success", "ok"
    gateway.answer = answer
    assert agent.put(f"/api/ami/calls/{call}/hold").status_code == 202
    redis.delete(gateway.actions[0]["replyTo"])  # not what a gateway writes


def test_the_call_is_over(redis, lifecycle, agent):
    feed(redis, events_of())
    (call,) = [key.removeprefix("call:") for key in redis.keys("call:*")]
    for method, path, body in (("PUT", "/hold", None), ("PUT", "/unhold", None),
                               ("DELETE", "", None)):
        assert_error(agent.call(method, f"/api/ami/calls/{call}{path}", body), 409, "call_ended")
    view = agent.get(f"/api/ami/calls/{call}").json()
    assert view["state"] == "ended" and view["result"] == "answered" and not view["stale"]
    assert view["hangup"] == {"cause": 16, "text": "Normal Clearing", "by": "caller",
                              "party": "1001"}
    assert view["direction"] == "internal" and view["durationMs"] > view["talkMs"] > 3000
    assert [line["event"] for line in view["timeline"]] == [
        "originating", "dialing", "ringing", "established", "held", "unheld", "ended"]


# ---- who may ----

def test_calls_of_others(rest, lifecycle, session, call, manager):
    stranger = rest(lifecycle, session("agent", "1003"))
    for method, path, body in (("GET", "", None), ("PUT", "/hold", None), ("DELETE", "", None),
                               ("PUT", "/unhold", None)):
        assert_error(stranger.call(method, f"/api/ami/calls/{call}{path}", body), 403,
                     "not_your_call")
    assert_error(stranger.get("/api/ami/calls?extension=1001"), 403, "not_your_calls")
    assert stranger.get("/api/ami/calls").json() == {"calls": [], "nextCursor": None}
    assert manager.get(f"/api/ami/calls/{call}").status_code == 200
    partner = rest(lifecycle, session("agent", "1002"))
    assert partner.get(f"/api/ami/calls/{call}").status_code == 200


@pytest.mark.parametrize("call_id", ["1.1", "..", "a b", "x" * 151, "%00", "a%2Fb", "call:*"])
def test_ids_of_nothing(manager, call_id):
    response = manager.get(f"/api/ami/calls/{call_id}")
    assert response.status_code in (400, 404), response.text


# ---- lists ----

def test_pages(redis, lifecycle, manager, agent):
    now = int(time.time() * 1000)
    for number in range(30):
        # three calls in every ms
        call, at = f"c-{number:02}", now - 30 + number // 3
        feed(redis, [{"t": at, "n": 1, "Event": "MaydayOriginate", "callId": call,
                      "actionId": f"a-{number}", "fields": [],
                      "data": {"from": "1001" if number % 2 else "1005", "to": "1002",
                               "requestedBy": "u"}}])
    found, cursor = [], ""
    while cursor is not None:
        page = manager.get(f"/api/ami/calls?limit=7{cursor and '&cursor=' + cursor}").json()
        found += [call["callId"] for call in page["calls"]]
        cursor = page["nextCursor"]
    assert found == [f"c-{number:02}" for number in reversed(range(30))]
    own = agent.get("/api/ami/calls?limit=200").json()["calls"]
    assert {call["callId"] for call in own} == {f"c-{number:02}" for number in range(1, 30, 2)}
    assert manager.get("/api/ami/calls?state=ended").json()["calls"] == []
    assert len(manager.get("/api/ami/calls?state=live&extension=1005").json()["calls"]) == 15


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "limit=x", "cursor=x", "cursor=1_",
                                   "cursor=-1_a", "state=x", "extension=a", "extension="])
def test_bad_lists(manager, query):
    assert manager.get(f"/api/ami/calls?{query}").status_code == 400
