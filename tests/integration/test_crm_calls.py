"""crm-data-svc: the call meets the record."""

import itertools
import json
import time

import pytest

from lib.process import wait_until

CLIENT = {"name": "Anna Meier", "phones": ["030 901820"]}
START = 1_790_000_000_000


@pytest.fixture
def crm(daemon, mongo):
    def make(until="ready", **settings):
        return daemon("crm-data-svc", until, **{"CRM_LEASE_TTL_MS": 500, **mongo.settings,
                                                **settings})
    return make


class Calls:
    """What call-lifecycle says of calls."""

    def __init__(self, redis):
        self.redis, self.numbers = redis, itertools.count(1)

    def say(self, call_id, kind, extension=None, **data):
        now = START + 1000 * next(self.numbers)
        event = {"v": 1, "eventType": f"call:{kind}", "callId": call_id, "pbx": "main",
                 "timestamp": now, "redisKey": f"call:{call_id}",
                 "data": {"state": {"ended": "ended", "established": "established",
                                    "transferred": "established"}.get(kind, "ringing"),
                          "direction": "inbound", "caller": "030901820", "callee": "5000", **data}}
        if extension:
            event |= {"extension": extension, "extensions": [extension]}
        return self.redis.xadd("events:call", {"e": json.dumps(event)})

    def whole(self, call_id, **data):
        self.say(call_id, "dialing", **data)
        self.say(call_id, "ringing", "1001", **data)
        self.say(call_id, "established", "1001", answeredAt=START, **data)
        self.redis.hset(f"call:{call_id}", mapping={
            "recordings": json.dumps([{"recordingId": "r1", "path": "r1.wav"}]),
            "transfers": json.dumps([{"at": START, "kind": "blind", "to": "1002"}]), "queue": ""})
        self.say(call_id, "ended", "1001", endedAt=START + 9000, durationMs=9000, talkMs=7000,
                 cause=16, causeText="Normal Clearing", reason="hangup", result="answered", **data)


@pytest.fixture
def calls(redis):
    return Calls(redis)


def matched(redis):
    return [json.loads(fields["e"]) for _, fields in redis.xrange("events:crm")]


def interactions(mongo, **query):
    return list(mongo.database.interactions.find(query))


def all_done(redis):
    info = redis.xinfo_groups("events:call")
    return bool(info) and info[0]["pending"] == 0 and info[0]["lag"] == 0


def test_a_call_opens_one_interaction_and_closes_it(crm, calls, redis, mongo, session, rest):
    agent = rest(crm(), session("agent", "1001"))
    anna = agent.post("/api/crm/clients", CLIENT).json()
    calls.say("1-1", "ringing", "1001")
    told = wait_until(lambda: matched(redis), what="the screen pop")
    assert told[0]["eventType"] == "crm:client_matched" and told[0]["callId"] == "1-1"
    assert told[0]["extension"] == "1001"
    assert told[0]["data"]["number"] == "+4930901820"
    assert told[0]["data"]["clients"][0]["id"] == anna["id"]
    opened = wait_until(lambda: agent.get("/api/crm/interactions").json()["interactions"])
    assert opened[0]["id"] == "call-1-1" and opened[0]["state"] == "open"
    assert opened[0]["clientId"] == anna["id"] and opened[0]["agent"] == "1001"
    calls.whole("1-1")
    closed = wait_until(lambda: agent.get("/api/crm/interactions?state=closed").json()["interactions"])
    assert closed[0] | {"durationMs": 9000, "talkMs": 7000, "result": "answered",
                        "endReason": "hangup", "endedAt": START + 9000, "number": "+4930901820",
                        "from": "030901820"} == closed[0]
    assert closed[0]["recordings"][0]["recordingId"] == "r1"
    assert closed[0]["transfers"][0]["to"] == "1002"
    assert len(matched(redis)) <= 2  # once for the call, once for the telephone
    found = agent.get("/api/crm/lookup?number=030901820").json()["clients"][0]
    assert found["last"]["interactionId"] == "call-1-1" and found["last"]["result"] == "answered"
    history = agent.get("/api/crm/interactions/call-1-1/history").json()["changes"]
    assert [each["action"] for each in history][::-1][0] == "opened"
    assert history[0]["action"] == "closed" and history[0]["by"] == "system"


def test_wrap_up_beside_the_call(crm, calls, redis, mongo, session, rest):
    service = crm()
    agent, admin = rest(service, session("agent", "1001")), rest(service, session("admin", ""))
    assert admin.post("/api/crm/dispositions", {"code": "refund", "label": "Refund given",
                                                "resolved": True}).status_code == 201
    calls.say("1-2", "ringing", "1001")
    wait_until(lambda: interactions(mongo))
    path = "/api/crm/interactions/call-1-2"
    answer = agent.call("PATCH", path, {"disposition": "refund", "reason": "kettle",
                                        "summary": "Sent back"}, headers={"If-Match": "*"})
    assert answer.status_code == 200 and answer.json()["resolved"] is True
    calls.whole("1-2")
    wait_until(lambda: agent.get(path).json()["state"] == "closed")
    after = agent.get(path).json()
    assert after["summary"] == "Sent back" and after["durationMs"] == 9000
    wrong = agent.call("PATCH", path, {"disposition": "nonsense"}, headers={"If-Match": "*"})
    assert wrong.status_code == 400 and wrong.json()["error"]["code"] == "unknown_disposition"
    fixed = agent.call("PATCH", path, {"durationMs": 1}, headers={"If-Match": "*"})
    assert fixed.status_code == 400


def test_several_clients_are_offered(crm, calls, redis, session, rest):
    agent = rest(crm(), session("agent", "1001"))
    ids = {agent.post("/api/crm/clients", CLIENT).json()["id"] for _ in range(2)}
    calls.say("1-3", "ringing", "1001")
    told = wait_until(lambda: matched(redis))
    assert {each["id"] for each in told[0]["data"]["clients"]} == ids
    one = wait_until(lambda: agent.get("/api/crm/interactions").json()["interactions"])[0]
    assert set(one["candidates"]) == ids and "clientId" not in one
    chosen = agent.call("PATCH", "/api/crm/interactions/call-1-3", {"clientId": min(ids)},
                        headers={"If-Match": "*"})
    assert chosen.status_code == 200 and chosen.json()["clientId"] == min(ids)


def test_calls_within_the_house_have_no_client(crm, calls, redis, mongo):
    crm()
    calls.whole("1-4", direction="internal", caller="1001", callee="1002")
    wait_until(lambda: interactions(mongo, state="closed"))
    assert not matched(redis)


def test_whatever_is_replayed_there_is_one_interaction(crm, calls, redis, mongo, recording):
    service = crm()
    for number in range(20):
        calls.whole(f"2-{number}")
    wait_until(lambda: len(interactions(mongo, state="closed")) == 20)
    before = {each["_id"]: each["v"] for each in interactions(mongo)}
    service.stop()
    redis.xgroup_destroy("events:call", "crm-data-svc")  # everything comes again
    recording.ignore("events:call")
    redis.xadd("events:call", {"e": "{no event"})
    redis.xadd("events:call", {"e": json.dumps({"v": 1})})
    service.start()
    wait_until(lambda: all_done(redis), 30)
    assert {each["_id"]: each["v"] for each in interactions(mongo)} == before


def test_killed_in_the_middle_nothing_is_lost_or_doubled(crm, calls, redis, mongo):
    service = crm()
    for number in range(60):
        calls.whole(f"3-{number}")
        if number % 20 == 10:
            service.kill9()
            service.start()
    wait_until(lambda: len(interactions(mongo, state="closed")) == 60, 60)
    wait_until(lambda: all_done(redis))
    ids = [each["_id"] for each in interactions(mongo)]
    assert sorted(ids) == sorted({f"call-3-{number}" for number in range(60)})
    for each in interactions(mongo):
        assert mongo.database.changes.count_documents({"record": each["_id"]}) == each["v"]


def test_mongodb_away_delays_and_loses_nothing(crm, calls, redis, mongo, session, rest):
    """The daemon sees no clock but its own: ten minutes or ten seconds are the same to it, since
    nothing waits in its memory but one batch; the rest waits in the stream."""
    service = crm()
    agent = rest(service, session("agent", "1001"))
    assert agent.post("/api/crm/clients", CLIENT).status_code == 201
    mongo.kill9()
    wait_until(lambda: not service.ready(), what="/readyz to say that MongoDB is away")
    detail = service.get("/readyz").json()["dependencies"]["mongodb"]
    assert not detail["ok"] and detail["detail"]
    for _ in range(20):
        began = time.monotonic()
        response = agent.get("/api/crm/clients")
        assert response.status_code == 503 and int(response.headers["Retry-After"]) >= 1
        assert time.monotonic() - began < 3
    for number in range(120):
        calls.whole(f"4-{number}")
    service.kill9()
    service.start("alive")
    mongo.start()
    wait_until(service.ready, 30)
    wait_until(lambda: len(interactions(mongo, state="closed")) == 120, 120)
    wait_until(lambda: all_done(redis))
    found = interactions(mongo)
    assert len(found) == 120 and all(each["clientId"] for each in found)
    order = sorted(found, key=lambda each: each["entry"])
    assert [each["_id"] for each in sorted(found, key=lambda each: int(each["_id"].split("-")[2]))] \
        == [each["_id"] for each in sorted(order, key=lambda each: [int(part) for part in
                                                                    each["entry"].split("-")])]


def test_two_instances_do_it_once(crm, calls, redis, mongo):
    one, two = crm(), crm()
    for number in range(20):
        calls.whole(f"5-{number}")
    wait_until(lambda: len(interactions(mongo, state="closed")) == 20, 30)
    holder = one if redis.get("lease:crm-calls").split(":")[1] == str(one.pid) else two
    holder.kill9()
    for number in range(20, 40):
        calls.whole(f"5-{number}")
    wait_until(lambda: len(interactions(mongo, state="closed")) == 40, 30)
    assert len(interactions(mongo)) == 40


def test_a_promised_call_is_remembered(crm, redis, mongo, session, rest):
    service = crm()
    agent = rest(service, session("agent", "1001"))
    anna = agent.post("/api/crm/clients", CLIENT).json()
    due = int(time.time() * 1000) + 3_600_000
    late = agent.post("/api/crm/callbacks", {"clientId": anna["id"], "dueAt": due,
                                             "phones": ["030901820"], "text": "About the kettle"})
    soon = agent.post("/api/crm/callbacks", {"clientId": anna["id"], "dueAt": due,
                                             "remindMs": 3_600_000})
    assert late.status_code == soon.status_code == 201
    told = wait_until(lambda: matched(redis))
    assert [each["eventType"] for each in told] == ["crm:callback_due"]
    assert told[0]["data"]["callbackId"] == soon.json()["id"] and told[0]["extension"] == "1001"
    agent.call("PATCH", f"/api/crm/callbacks/{late.json()['id']}", {"dueAt": 1000},
               headers={"If-Match": "*"})
    wait_until(lambda: len(matched(redis)) == 2)
    assert matched(redis)[1]["data"]["text"] == "About the kettle"
    redis.delete("crm:reminders")
    service.restart()
    third = agent.post("/api/crm/callbacks", {"dueAt": 1000})
    wait_until(lambda: len(matched(redis)) == 3)
    assert matched(redis)[2]["data"]["callbackId"] == third.json()["id"]
    done = agent.call("PATCH", f"/api/crm/callbacks/{late.json()['id']}", {"status": "done"},
                      headers={"If-Match": "*"})
    assert done.status_code == 200
    assert wait_until(lambda: redis.zcard("crm:reminders") == 0)


def test_the_screen_pop_reaches_the_agent_whose_phone_rings(crm, calls, daemon, session, rest,
                                                            websocket):
    service, fanout = crm(), daemon("ws-fanout")
    agent, other = session("agent", "1001"), session("agent", "1002")
    anna = rest(service, agent).post("/api/crm/clients", CLIENT).json()
    mine, theirs = websocket(fanout, agent), websocket(fanout, other)
    calls.say("9-1", "ringing", "1001")
    event = mine.wait_for("crm:client_matched")["event"]
    assert event["data"]["clients"][0]["id"] == anna["id"]
    assert not any(each.get("event", {}).get("eventType", "").startswith("crm:")
                   for each in theirs.messages)
