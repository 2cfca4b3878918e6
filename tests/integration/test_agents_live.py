"""Agents and queues: what they are doing, for how long, what they are told to do."""

import json
import time

import pytest

from lib import transcripts
from lib.calls import events_of, feed, gateway  # noqa: F401
from lib.client import assert_error
from lib.process import wait_until

QUARTER = 900_000


def now():
    return int(time.time() * 1000)


@pytest.fixture
def start(daemon, gateway):  # noqa: F811
    def make(**settings):
        one = daemon("call-lifecycle", LIFECYCLE_COMMAND_TIMEOUT_MS=2000,
                     LIFECYCLE_LEASE_TTL_MS=1000, **settings)
        wait_until(lambda: one.metric('mayday_lifecycle_leader{pbx="main"}') == 1, 10, "leader")
        return one
    return make


def device(at, extension, state):
    return {"t": at, "n": 1, "Event": "DeviceStateChange", "Device": f"PJSIP/{extension}",
            "State": state}


def member(event, at, queue, extension, paused=0, reason="", status=1, **more):
    return {"t": at, "n": 1, "Event": event, "Queue": queue, "MemberName": f"Agent {extension}",
            "Interface": f"PJSIP/{extension}", "StateInterface": f"PJSIP/{extension}",
            "Membership": "realtime", "Penalty": "0", "CallsTaken": "0", "LastCall": "0",
            "LoginTime": "0", "InCall": "0", "Status": str(status), "Paused": str(paused),
            "PausedReason": reason, "Ringinuse": "0", "Wrapuptime": "0", **more}


def snapshot(at, *members, queues=("support",)):
    return [{"t": at, "n": 1, "Event": "MaydayUp", "version": "22.10.1"},
            {"t": at, "n": 1, "Event": "MaydaySnapshotBegin", "id": f"s{at}"},
            *({"t": at, "n": 1, "Event": "QueueParams", "Queue": queue} for queue in queues),
            *({**entry, "Event": "QueueMember", "Location": entry["Interface"],
               "Name": entry["MemberName"]} for entry in members),
            {"t": at, "n": 1, "Event": "MaydaySnapshotEnd", "id": f"s{at}", "channels": 0}]


def told(at, extension, paused, reason=""):
    return {"t": at, "n": 1, "Event": "MaydayDone", "callId": f"agent:{extension}",
            "actionId": "x", "action": "UserEvent",
            "data": {"agent": extension, "paused": paused, "reason": reason}}


def agent(redis, extension):
    return redis.hgetall(f"agent:{extension}")


def orders(gateway, action="QueuePause"):  # noqa: F811
    return [dict(each["fields"]) for each in gateway.actions if each["action"] == action]


def test_the_ledger_is_exact_through_restarts(redis, database, start):
    """Ten states with known lengths, killed in the middle of two; across the border of a quarter."""
    one = start(**database.settings, HISTORY_KEEP_DAYS=0)
    border = (now() - 3_600_000) // QUARTER * QUARTER
    at = border - 12_000
    story = [(device, ("NOT_INUSE",), "available", "", 10),
             (told, (True, "lunch"), "paused", "lunch", 15),
             (told, (False,), "available", "", 5), (device, ("RINGING",), "ringing", "", 3),
             (device, ("INUSE",), "busy", "", 60), (device, ("NOT_INUSE",), "available", "", 7),
             (told, (True, "break"), "paused", "break", 1),
             (device, ("UNAVAILABLE",), "offline", "", 20),
             (device, ("NOT_INUSE",), "paused", "break", 2), (told, (False,), "available", "", 4)]
    expected = []
    for make, arguments, state, reason, seconds in story:
        feed(redis, [make(at, "1004", *arguments)])
        assert agent(redis, "1004")["state"] == state
        assert int(agent(redis, "1004")["sinceAt"]) == at
        expected.append((at, at + seconds * 1000, state, reason))
        at += seconds * 1000
        if reason == "lunch" or state == "busy":
            one.kill9()
            one.start()
    feed(redis, [device(at, "1004", "UNAVAILABLE")])
    wait_until(lambda: len(database.query("SELECT * FROM agent_time")) == len(expected), 20, "spans")
    rows = database.query("SELECT * FROM agent_time ORDER BY started_at")
    assert [(r["started_at"], r["ended_at"], r["state"], r["reason"]) for r in rows] == expected
    sums = {row["at"]: row for row in database.query(
        "SELECT * FROM stats_agent WHERE step = 0 AND name = '1004'")}
    assert set(sums) == {border - QUARTER, border}
    assert (sums[border - QUARTER]["available_ms"], sums[border - QUARTER]["paused_ms"]) == (10_000, 2_000)
    late = sums[border]
    assert (late["available_ms"], late["paused_ms"], late["ringing_ms"], late["busy_ms"]) == \
        (16_000, 16_000, 3_000, 60_000)
    days = database.query("SELECT SUM(available_ms) AS a, SUM(paused_ms) AS p FROM stats_agent"
                          " WHERE step = 1")
    assert (int(days[0]["a"]), int(days[0]["p"])) == (26_000, 18_000)


def test_a_queue_as_it_goes(redis, start, rest, session, gateway, recording):  # noqa: F811
    """A recorded call by trunk through a queue: waiting, answered, counted; then wrap-up."""
    entries = events_of("k1-queue-trunk-answered", now() - 30_000)
    last = entries[-1]["t"]
    entries = [{**entry, "t": entry["t"] - last + now() - 200} for entry in entries]
    first = entries[0]["t"]
    queue = next(e["Queue"] for e in entries if e["Event"] == "QueueCallerJoin")
    one = start(LIFECYCLE_WRAP_UP_S=3600)
    manager = rest(one, session("manager", "1009"))
    feed(redis, snapshot(first - 100, member("", first, queue, "1004"), queues=(queue, "empty")))
    joined = next(i for i, e in enumerate(entries) if e["Event"] == "QueueCallerJoin")
    channel = redis.pubsub()
    channel.subscribe("extension:status", "agent:status", "queue:activity")
    feed(redis, entries[:joined + 1])
    view = manager.get(f"/api/ami/queues/{queue}").json()
    assert view["waiting"] == 1 and view["offeredToday"] == 1 and view["longestWaitMs"] > 0
    assert [caller["position"] for caller in view["callers"]] == [1]
    assert [m["extension"] for m in view["members"]] == ["1004"]
    wait_until(lambda: manager.get(f"/api/ami/queues/{queue}").json()["asOf"] > 0, 10, "asOf")
    one.kill9()
    one.start()
    feed(redis, entries[joined + 1:])
    view = manager.get(f"/api/ami/queues/{queue}").json()
    assert view["waiting"] == 0 and view["answeredToday"] == 1 and view["callers"] == []
    assert view["serviceLevelToday"] == 1.0 and view["averageWaitTodayMs"] > 0
    state = manager.get("/api/ami/agents/1004").json()
    assert state["state"] == "wrap_up" and state["reason"] == queue, state
    assert state["callsToday"] == 1 and state["talkTodayMs"] > 1000
    wait_until(lambda: orders(gateway), 5, "the pause for the wrap-up")
    assert orders(gateway) == [{"Queue": queue, "Interface": "PJSIP/1004", "Paused": "true",
                                "Reason": "wrap_up"}]
    feed(redis, [member("QueueMemberPause", now(), queue, "1004", 1, "wrap_up")])
    assert agent(redis, "1004")["state"] == "wrap_up"
    until = int(agent(redis, "1004")["wrapUpUntilAt"])
    assert until - int(agent(redis, "1004")["sinceAt"]) <= 3_600_000
    feed(redis, [device(until + 5000, "1005", "NOT_INUSE")])
    assert agent(redis, "1004")["state"] == "available"
    assert int(agent(redis, "1004")["sinceAt"]) == until, "not when it was noticed"
    wait_until(lambda: len(orders(gateway)) == 2, 5, "the end of its pause")
    assert orders(gateway)[1]["Paused"] == "false"
    told = [message for message in iter(lambda: channel.get_message(timeout=0.2), None)
            if message["type"] == "message"]
    assert {each["channel"] for each in told} == {"extension:status", "agent:status", "queue:activity"}
    for each in told:
        recording.event(json.loads(each["data"]))
    listed = manager.get("/api/ami/queues?limit=1").json()
    names = [each["name"] for each in listed["queues"]]
    assert len(names) == 1 and listed["nextCursor"]
    rest_of = manager.get(f"/api/ami/queues?cursor={listed['nextCursor']}").json()
    assert sorted(names + [each["name"] for each in rest_of["queues"]]) == sorted([queue, "empty"])
    # A queue that Asterisk does not list any more is gone.
    feed(redis, snapshot(until + 6000, member("", until, queue, "1004"), queues=(queue,)))
    assert redis.smembers("queues:main") == {queue} and not redis.exists("queue:empty")


def test_what_became_of_callers(redis, start):
    """Abandoned, timed out, in the recorded sessions; a caller that vanished while nobody saw."""
    start()
    for number, name in enumerate(("l1-queue-abandoned", "l2-queue-timeout-autopause")):
        feed(redis, transcripts.entries(name, now() - 60_000 + number * 30_000))
    days = [redis.hgetall(key) for key in redis.keys("queue:*")]
    assert sum(int(day["abandonedToday"]) for day in days) == 1
    assert sum(int(day["timedOutToday"]) for day in days) == 1
    assert all(day["waiting"] == "0" for day in days)
    entries = events_of("k2-queue-first-does-not-answer", now())
    joined = next(i for i, e in enumerate(entries) if e["Event"] == "QueueCallerJoin")
    feed(redis, entries[:joined + 1])
    assert sum(int(redis.hget(key, "waiting")) for key in redis.keys("queue:*")) == 1
    feed(redis, snapshot(now() + 60_000))
    assert sum(int(redis.hget(key, "waiting")) for key in redis.keys("queue:*")) == 0


def test_pauses_and_log_ins(redis, start, rest, session, gateway):  # noqa: F811
    one = start()
    at = now() - 10_000
    feed(redis, [*snapshot(at, member("", at, "support", "1004"), member("", at, "sales", "1004"),
                           queues=("support", "sales")), device(at, "1004", "NOT_INUSE")])
    own, other = rest(one, session("agent", "1004")), rest(one, session("agent", "1005"))
    admin = rest(one, session("admin", "1009"))
    base = "/api/ami/agents/1004"
    # who may
    assert own.get(base).status_code == 200
    assert_error(other.get(base), 403, "not_own_extension")
    assert_error(other.put(base + "/pause", {}), 403, "not_own_extension")
    assert_error(rest(one, session("manager", "1009")).put(base + "/pause", {}), 403,
                 "not_own_extension")
    assert_error(other.get("/api/ami/agents"), 403, "forbidden")
    # bad input
    for body in ({"reason": ""}, {"reason": 5}, {"reason": "x" * 81}, {"queue": "a\r\nb"}, {"queue": ""}):
        assert_error(own.put(base + "/pause", body), 400, "bad_request")
    assert_error(admin.put("/api/ami/agents/abc/pause", {}), 404, "agent_not_found")
    assert_error(own.get("/api/ami/agents/%0a"), 400, "bad_request")
    assert_error(admin.get("/api/ami/agents/4711"), 404, "agent_not_found")
    assert_error(admin.get("/api/ami/queues/nosuch"), 404, "queue_not_found")
    assert_error(admin.get("/api/ami/agents?state=asleep"), 400, "invalid_state")
    assert_error(admin.get("/api/ami/agents?cursor=xyz"), 400, "invalid_cursor")
    assert gateway.actions == []
    # a pause everywhere
    assert own.put(base + "/pause", {"reason": "Обед"}).status_code == 202
    assert sorted((o["Queue"], o["Paused"], o["Reason"]) for o in orders(gateway)) == [
        ("sales", "true", "Обед"), ("support", "true", "Обед")]
    (said,) = [each for each in gateway.actions if each["action"] == "UserEvent"]
    assert said["data"]["agent"] == "1004" and said["data"]["paused"] is True
    feed(redis, [told(now(), "1004", True, "Обед")])
    view = own.get(base).json()
    assert (view["state"], view["reason"], view["paused"]) == ("paused", "Обед", True)
    assert admin.get("/api/ami/agents?state=paused").json()["agents"][0]["extension"] == "1004"
    assert admin.get("/api/ami/agents?state=busy").json()["agents"] == []
    feed(redis, [told(now(), "1004", False)])
    assert own.get(base).json()["state"] == "available"
    # in one queue
    gateway.actions.clear()
    assert own.put(base + "/pause", {"queue": "sales"}).status_code == 202
    assert [o["Queue"] for o in orders(gateway)] == ["sales"]
    assert_error(own.put(base + "/pause", {"queue": "nosuch"}), 409, "refused_by_pbx")
    feed(redis, [member("QueueMemberPause", now(), "sales", "1004", 1, "x")])
    assert own.get(base).json()["state"] == "available"
    feed(redis, [member("QueueMemberPause", now(), "support", "1004", 1, "y")])
    assert own.get(base).json()["state"] == "paused", "paused in each of its queues"
    # out of a queue that it is configured for, and in again
    gateway.actions.clear()
    assert own.delete(base + "/queues/sales").status_code == 202
    assert orders(gateway)[-1]["Reason"] == "logged_out"
    feed(redis, [member("QueueMemberPause", now(), "sales", "1004", 1, "logged_out"),
                 member("QueueMemberPause", now(), "support", "1004", 0)])
    view = own.get(base).json()
    assert {q["queue"]: q["loggedIn"] for q in view["queues"]} == {"sales": False, "support": True}
    assert view["state"] == "available"
    assert own.put(base + "/queues/sales").status_code == 202
    assert orders(gateway)[-1] == {"Queue": "sales", "Interface": "PJSIP/1004", "Paused": "false",
                                   "Reason": ""} or orders(gateway)[-1]["Paused"] == "false"
    # one that it is no member of
    assert own.put(base + "/queues/night").status_code == 202
    assert orders(gateway, "QueueAdd")[-1]["Interface"] == "PJSIP/1004"
    feed(redis, [member("QueueMemberAdded", now(), "night", "1004", Membership="dynamic")])
    assert own.delete(base + "/queues/night").status_code == 202
    assert orders(gateway, "QueueRemove")[-1]["Queue"] == "night"
    # what is done to somebody else is kept
    assert redis.xlen("audit") == 0
    assert admin.put(base + "/pause", {"queue": "support"}).status_code == 202
    assert admin.put(base + "/queues/sales").status_code == 202
    kept = [json.loads(fields["a"]) for _, fields in redis.xrange("audit")]
    assert [(each["action"], each["actor"], each["subject"], each["detail"]) for each in kept] == [
        ("agent:paused", "user-1009", "agent:1004", "support"),
        ("agent:queue_logged_in", "user-1009", "agent:1004", "sales")]
    feed(redis, [member("QueueMemberRemoved", now(), "night", "1004")])
    assert "night" not in [q["queue"] for q in own.get(base).json()["queues"]]
    gateway.answer = lambda action: ("error", "Interface not found")
    assert_error(own.put(base + "/pause", {}), 409, "refused_by_pbx")


def test_wishes_are_carried_out(redis, daemon, gateway):  # noqa: F811
    """As auth-svc writes them; also one that came while nobody listened."""
    wish = {"v": 1, "extension": "1004", "paused": True, "reason": "lunch", "by": "u-1", "at": now()}
    redis.xadd("wishes:agent", {"w": json.dumps({**wish, "paused": False})})
    redis.xadd("wishes:agent", {"w": json.dumps(wish)})
    redis.xadd("wishes:agent", {"w": "no JSON"})
    redis.hset("agent:1004", mapping={"queues": json.dumps(
        [{"queue": "support", "interface": "PJSIP/1004", "loggedIn": True, "paused": False}])})
    one = daemon("call-lifecycle", LIFECYCLE_COMMAND_TIMEOUT_MS=2000)
    wait_until(lambda: redis.get("wishes:applied") ==
               redis.xinfo_stream("wishes:agent")["last-generated-id"], 10, "wishes")
    assert [o["Paused"] for o in orders(gateway)] == ["true"], "the last wish counts"
    one.restart()
    redis.xadd("wishes:agent", {"w": json.dumps({**wish, "paused": False})})
    wait_until(lambda: len(orders(gateway)) == 2, 10, "the next wish")
    assert orders(gateway)[1]["Paused"] == "false"
    wait_until(lambda: [each["data"]["paused"] for each in gateway.actions
                        if each["action"] == "UserEvent"] == [True, False], 10, "both were told")
