"""Statistics against cases that were worked out by hand (docs/metrics.md has the formulas)."""

import datetime
import json
import zoneinfo

import pytest

from lib.client import assert_error
from lib.process import wait_until

S, QUARTER, DAY = 1000, 900_000, 86_400_000
T0 = 1_790_000_100_000 // QUARTER * QUARTER  # 2026-09-21 in every zone that is used here
BERLIN = zoneinfo.ZoneInfo("Europe/Berlin")


def end_call(redis, call_id, start, end, result, segments, extensions, **more):
    """What call-lifecycle leaves of a call that has ended, and its event."""
    fields = {"callId": call_id, "pbx": "main", "state": "ended", "direction": "inbound",
              "startedAt": start, "endedAt": end, "durationMs": end - start, "result": result,
              "talkMs": sum(s.get("talkMs", 0) for s in segments), "holdMs": 0, "trunk": "provider",
              "from": json.dumps({"number": "7000"}), "to": json.dumps({"number": "5000"}),
              "segments": json.dumps(segments), "extensions": json.dumps(extensions),
              "timeline": "[]", "transfers": "[]", "mergedFrom": "[]", **more}
    redis.hset(f"call:{call_id}", mapping=fields)
    event = {"v": 1, "eventType": "call:ended", "callId": call_id, "timestamp": end,
             "redisKey": f"call:{call_id}",
             "data": {"state": "ended", "endedAt": end, "durationMs": end - start, "cause": 16,
                      "causeText": "Normal Clearing", "result": result, "reason": "hangup"}}
    redis.xadd("events:call", {"e": json.dumps(event)})


def queue_call(redis, call_id, start, wait, result="answered", by=None, talk=0, hold=0,
               queue="support"):
    """A caller who joins at once and waits so many ms."""
    left = start + wait
    segments = [{"kind": "queue", "from": "7000", "to": "5000", "startedAt": start, "joinedAt": start,
                 "endedAt": left, "talkMs": 0, "result": result, "queue": queue}]
    if by:
        segments.append({"kind": "dial", "from": "7000", "to": by, "startedAt": start,
                         "ringingAt": start, "answeredAt": left, "endedAt": left + talk,
                         "talkMs": talk, "holdMs": hold, "result": "answered", "queue": queue})
    end_call(redis, call_id, start, left + talk, result, segments, [by] if by else [],
             answeredAt=left if by else "",
             queue=json.dumps({"name": queue, "joinedAt": start, "waitMs": wait, "outcome": result}))


def span(redis, extension, start, end, state, reason=None):
    event = {"v": 1, "eventType": "agent:changed", "extension": extension, "timestamp": end,
             "redisKey": f"agent:{extension}",
             "data": {"extension": extension, "state": "available", "sinceAt": end,
                      "previousState": state, "previousAt": start,
                      **({"previousReason": reason} if reason else {})}}
    redis.xadd("events:agent", {"e": json.dumps(event)})


def the_hand_computed(redis):
    queue_call(redis, "c1", T0 + 10 * S, 4 * S, by="1004", talk=60 * S, hold=10 * S)
    queue_call(redis, "c2", T0 + 60 * S, 25 * S, by="1005", talk=120 * S)
    queue_call(redis, "c3", T0 + 90 * S, 2 * S, "abandoned")
    queue_call(redis, "c4", T0 + 100 * S, 40 * S, "abandoned")
    queue_call(redis, "c5", T0 + 120 * S, 60 * S, "timeout")
    queue_call(redis, "c6", T0 + QUARTER + S, 20 * S, by="1004", talk=30 * S)
    queue_call(redis, "c7", T0 + 5 * S, 30 * S, by="1004", talk=10 * S, queue="sales")
    # 1004 calls out, nobody answers; an internal call 1004 -> 1005 that is answered
    end_call(redis, "c8", T0 + 300 * S, T0 + 320 * S, "no_answer", [
        {"kind": "dial", "from": "1004", "to": "7999", "startedAt": T0 + 300 * S, "talkMs": 0,
         "ringingAt": T0 + 301 * S, "endedAt": T0 + 320 * S, "result": "no_answer"}], ["1004"],
        direction="outbound", talkMs=0)
    end_call(redis, "c9", T0 + 400 * S, T0 + 450 * S, "answered", [
        {"kind": "dial", "from": "1004", "to": "1005", "startedAt": T0 + 400 * S,
         "ringingAt": T0 + 401 * S, "answeredAt": T0 + 405 * S, "endedAt": T0 + 450 * S,
         "talkMs": 45 * S, "result": "answered"}], ["1004", "1005"], direction="internal", trunk="",
        answeredAt=T0 + 405 * S)
    # absorbed by another: it is no call of its own
    end_call(redis, "c10", T0 + 500 * S, T0 + 510 * S, "answered", [], ["1004"], mergedInto="c9")
    span(redis, "1004", T0 - 100 * S, T0 + 10 * S, "available")
    span(redis, "1004", T0 + 10 * S, T0 + 14 * S, "ringing")
    span(redis, "1004", T0 + 14 * S, T0 + 74 * S, "busy")
    span(redis, "1004", T0 + 74 * S, T0 + 104 * S, "wrap_up", "support")
    span(redis, "1004", T0 + 104 * S, T0 + 204 * S, "paused", "lunch")
    span(redis, "1004", T0 + 204 * S, T0 + 404 * S, "available")
    span(redis, "1004", T0 + 404 * S, T0 + 10_000 * S, "offline")


def wait_written(database, calls, spans):
    def count(table):
        return database.query(f"SELECT COUNT(*) AS n FROM {table}")[0]["n"]
    wait_until(lambda: (count("call_history"), count("agent_time")) == (calls, spans), 30, "history")


@pytest.fixture
def start(daemon, database, rest, session):
    def make(**settings):
        one = daemon("call-lifecycle", **database.settings, HISTORY_KEEP_DAYS=0,
                     **settings)
        return one, rest(one, session("manager", "1009"))
    return make


@pytest.fixture
def manager(redis, database, start):
    the_hand_computed(redis)
    one, manager = start()
    wait_written(database, 10, 7)
    return manager


def ask(manager, **query):
    text = "&".join(f"{name}={value}" for name, value in query.items())
    answer = manager.get(f"/api/admin/historical-stats?{text}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def row(answer, at, name=None):
    (found,) = [r for r in answer["rows"] if r["at"] == at and r.get("name") == name]
    return found


def fits(found, **expected):
    assert {name: found[name] for name in expected} == expected


def test_by_hand(manager):
    span_of = {"from": T0, "to": T0 + 2 * QUARTER, "interval": "15min"}
    answer = ask(manager, groupBy="queue", **span_of)
    assert len(answer["rows"]) == 3 and answer["serviceLevelS"] == 20
    fits(row(answer, T0, "support"), offered=5, answered=2, abandoned=2, timedOut=1,
         inServiceLevel=1, shortAbandoned=1, serviceLevel=0.25, abandonRate=0.25, asaMs=14_500,
         averageAbandonWaitMs=21_000, longestWaitMs=60_000, talkMs=180_000, holdMs=10_000,
         wrapUpMs=30_000, connected=2, ahtMs=105_000)
    fits(row(answer, T0 + QUARTER, "support"), offered=1, answered=1, serviceLevel=1.0,
         asaMs=20_000, ahtMs=30_000, abandonRate=0.0, averageAbandonWaitMs=None)
    fits(row(answer, T0, "sales"), offered=1, serviceLevel=0.0, asaMs=30_000)
    # other bounds
    answer = ask(manager, groupBy="queue", name="support", serviceLevelS=30, shortAbandonS=3, **span_of)
    assert {r["name"] for r in answer["rows"]} == {"support"}
    fits(row(answer, T0, "support"), inServiceLevel=2, serviceLevel=0.5)
    # agents
    answer = ask(manager, groupBy="agent", interval="hour", **{"from": T0, "to": T0 + 2 * QUARTER})
    both = [r for r in answer["rows"] if r["name"] == "1004"]
    total = {name: sum(r[name] for r in both) for name in both[0] if isinstance(both[0][name], int)}
    fits(total, offered=3, answered=3, missed=0, outgoing=2, outgoingAnswered=1, handled=4,
         ringMs=54_000, talkMs=145_000, holdMs=10_000)
    first = row(ask(manager, groupBy="agent", name="1004", **span_of), T0, "1004")
    fits(first, availableMs=210_000, ringingMs=4_000, busyMs=60_000, wrapUpMs=30_000,
         pausedMs=100_000, loggedInMs=404_000, occupancy=round(90 / 304, 4),
         talkMs=115_000, ahtMs=(115_000 + 30_000) // 3)
    fits(row(ask(manager, groupBy="agent", **span_of), T0, "1005"), offered=2, answered=2,
         talkMs=165_000, occupancy=None)
    # trunks, and all calls; the absorbed call is none
    fits(row(ask(manager, groupBy="trunk", **span_of), T0, "provider"), calls=7, inbound=6,
         outbound=1, answered=3, abandoned=2)
    fits(row(ask(manager, **span_of), T0), calls=8, inbound=6, outbound=1, answered=4, abandoned=2,
         failed=0, talkMs=235_000, averageAnswerMs=(4 + 25 + 30 + 5) * S // 4, answerRate=0.5)
    # a longer interval is the sum of its parts, in every zone, by days that are there and that are not
    for zone in ("UTC", "Europe/Berlin", "Asia/Kathmandu", "America/St_Johns"):
        for interval in ("hour", "day", "week", "month"):
            answer = ask(manager, interval=interval, timeZone=zone, **{"from": T0, "to": T0 + DAY})
            assert sum(r["calls"] for r in answer["rows"]) == 9, (zone, interval)
    check_ledger(manager)


def check_ledger(manager):
    answer = manager.get(f"/api/ami/agents/1004/time?from={T0}&to={T0 + 304 * S}").json()
    assert {(s["state"], s.get("reason"), s["ms"]) for s in answer["states"]} == {
        ("available", None, 110_000), ("ringing", None, 4_000), ("busy", None, 60_000),
        ("wrap_up", "support", 30_000), ("paused", "lunch", 100_000)}
    assert sum(s["ms"] for s in answer["states"]) == 304_000


def test_days_where_clocks_change(redis, database, start):
    """29 March 2026 in Berlin has 23 hours, 25 October 25; a week and a month with them."""
    def local(*when):
        return int(datetime.datetime(*when, tzinfo=BERLIN).timestamp() * 1000)
    moments = [local(2026, 3, 28, 23, 59), local(2026, 3, 29, 0, 0), local(2026, 3, 29, 3, 30),
               local(2026, 3, 29, 23, 59), local(2026, 3, 30, 0, 0), local(2026, 10, 25, 0, 30),
               local(2026, 10, 25, 23, 30), local(2026, 10, 26, 0, 1)]
    for number, moment in enumerate(moments):
        queue_call(redis, f"d{number}", moment, S, by="1004", talk=S)
    one, berlin = start(STATS_TIME_ZONE="Europe/Berlin")
    wait_written(database, len(moments), 0)

    def days(zone, interval="day", who=berlin):
        answer = ask(who, interval=interval, timeZone=zone,
                     **{"from": moments[0], "to": moments[-1] + 1})
        return {datetime.datetime.fromtimestamp(r["at"] / 1000, zoneinfo.ZoneInfo(zone)).isoformat()[:16]:
                r["calls"] for r in answer["rows"]}
    expected = {"2026-03-28T00:00": 1, "2026-03-29T00:00": 3, "2026-03-30T00:00": 1,
                "2026-10-25T00:00": 2, "2026-10-26T00:00": 1}
    assert days("Europe/Berlin") == expected, "from the sums by day"
    assert days("Europe/Paris") == expected, "the same clock, from the sums by 15 minutes"
    assert days("Europe/Berlin", "week") == {"2026-03-23T00:00": 4, "2026-03-30T00:00": 1,
                                             "2026-10-19T00:00": 2, "2026-10-26T00:00": 1}
    assert days("Europe/Berlin", "month") == {"2026-03-01T00:00": 5, "2026-10-01T00:00": 3}
    # Another zone for the sums: they are made anew from those by 15 minutes.
    one.stop()
    two, utc = start(STATS_TIME_ZONE="UTC")
    wait_until(lambda: two.metric("mayday_history_leader") == 1, 20, "the zone is set")
    rows = database.query("SELECT at, calls FROM stats_trunk WHERE step = 1 AND name = '' ORDER BY at")
    assert all(r["at"] % DAY == 0 for r in rows) and sum(r["calls"] for r in rows) == len(moments)
    answer = ask(utc, interval="day", **{"from": moments[0], "to": moments[-1] + 1})
    assert sum(r["calls"] for r in answer["rows"]) == len(moments)
    two.stop()
    # More zones: the days of all of them are kept, what was there before and what comes.
    three, many = start(STATS_TIME_ZONE="UTC", STATS_TIME_ZONES="Asia/Tokyo Europe/Berlin UTC")
    wait_until(lambda: three.metric("mayday_history_leader") == 1, 20, "the zones are set")
    queue_call(redis, "more", moments[0], S, by="1004", talk=S)
    wait_written(database, len(moments) + 1, 0)
    expected["2026-03-28T00:00"] += 1
    assert days("Europe/Berlin", who=many) == days("Europe/Paris", who=many) == expected
    tokyo = days("Asia/Tokyo", who=many)
    assert tokyo == {"2026-03-29T00:00": 4, "2026-03-30T00:00": 2, "2026-10-25T00:00": 1,
                     "2026-10-26T00:00": 2}
    steps = database.query("SELECT step, CAST(SUM(calls) AS SIGNED) AS calls FROM stats_trunk "
                           "WHERE name = '' GROUP BY step ORDER BY step")
    assert [(r["step"], r["calls"]) for r in steps] == [(n, len(moments) + 1) for n in range(4)]


def test_now_and_bad_questions(redis, database, start, rest, session):
    redis.sadd("queues:main", "support")
    redis.hset("queue:support", mapping={"name": "support", "pbx": "main", "waiting": 2,
                                         "longestSinceAt": 1, "members": "[]", "callers": "[]"})
    for extension, state in (("1001", "busy"), ("1002", "paused"), ("1003", "paused")):
        redis.hset("agents:main", extension, "{}")
        redis.hset(f"agent:{extension}", mapping={"extension": extension, "state": state})
    one, manager = start()
    answer = manager.get("/api/admin/call-stats").json()
    assert answer["calls"]["total"] == 0 and answer["queues"]["waiting"] == 2
    assert answer["queues"]["longestWaitMs"] > 0
    assert (answer["agents"]["paused"], answer["agents"]["busy"], answer["agents"]["total"]) == (2, 1, 3)
    assert [q["name"] for q in manager.get("/api/admin/queue-activity").json()["queues"]] == ["support"]
    agent = rest(one, session("agent", "1001"))
    for path in ("call-stats", "queue-activity", "historical-stats"):
        assert_error(agent.get(f"/api/admin/{path}"), 403, "forbidden")
    wait_until(lambda: manager.get("/api/admin/historical-stats").status_code == 200, 20, "tables")
    assert "today" in manager.get("/api/admin/call-stats").json()
    for query in ("interval=year", "groupBy=team", "timeZone=Mars/Base", "timeZone=../etc/passwd",
                  "from=x", "from=5&to=4", "serviceLevelS=7", "shortAbandonS=4", "name=x",
                  "groupBy=queue&name=", "from=0&to=1790000000000"):
        assert_error(manager.get(f"/api/admin/historical-stats?{query}"), 400, "bad_request")
    assert_error(manager.get("/api/admin/historical-stats?interval=15min&from=1700000000000"
                             "&to=1790000000000"), 400, "too_many_intervals")
    assert_error(manager.get("/api/ami/agents/1001/time?from=2&to=1"), 400, "bad_request")
    assert_error(agent.get("/api/ami/agents/1002/time"), 403, "not_own_extension")
    database.stop()
    wait_until(lambda: manager.get("/api/admin/historical-stats").status_code == 503, 20, "503")
    assert "today" not in manager.get("/api/admin/call-stats").json()
