"""The history in MariaDB: each ended call exactly once, whatever goes away meanwhile; how it is read."""

import csv
import io
import json
import subprocess
import time

import pytest
import requests

from lib import openapi, transcripts
from lib.client import assert_error
from lib.daemon import BIN
from lib.process import wait_until

STREAM = "events:ami:main"
BASE_MS = 1_790_000_000_000
CALLS = ["a1-originate-answered-caller-hangs", "f2-hold-by-caller-twice", "h1-atxfer-by-callee",
         "k3-queue-local-members", "l1-queue-abandoned", "k1-queue-trunk-answered"]
FOR_EVER = {"HISTORY_KEEP_DAYS": 0}


def feed(redis, entries):
    pipe = redis.pipeline(transaction=False)
    for entry in entries:
        pipe.xadd(STREAM, {"e": json.dumps(entry, ensure_ascii=False)})
    pipe.execute()


def several(names=CALLS, base_ms=BASE_MS):
    return [entry for number, name in enumerate(names)
            for entry in transcripts.entries(name, base_ms + number * 60_000)]


def settled(redis):
    return redis.hget("lifecycle:main", "appliedId") == \
        redis.xinfo_stream(STREAM)["last-generated-id"]


def ended(redis):
    found = [json.loads(fields["e"]) for _, fields in redis.xrange("events:call")]
    return sorted(event["callId"] for event in found if event["eventType"] == "call:ended")


def kept(database):
    return sorted(row["call_id"] for row in database.query("SELECT call_id FROM call_history"))


def wait_written(redis, database, timeout=30):
    wait_until(lambda: settled(redis), timeout, "all entries applied")
    wait_until(lambda: kept(database) == ended(redis), timeout, "every ended call in the history")


@pytest.fixture
def lifecycle(daemon, database):
    def make(until="ready", **settings):
        return daemon("call-lifecycle", until, **database.settings, **FOR_EVER, **settings)
    return make


@pytest.fixture
def filled(redis, database, lifecycle):
    """A daemon with some recorded sessions in its history."""
    feed(redis, several())
    one = lifecycle()
    wait_until(lambda: one.get("/readyz").json()["dependencies"]["schema"]["ok"], 20, "tables")
    wait_written(redis, database)
    return one


@pytest.fixture
def manager(rest, filled, session):
    return rest(filled, session("manager", "1009"))


# ---- what is written ----

def test_each_ended_call_is_kept_as_it_was(redis, database, filled, manager):
    assert len(kept(database)) >= len(CALLS)
    for call_id in kept(database):
        live = redis.hgetall(f"call:{call_id}")
        answer = manager.get(f"/api/ami/calls/history/{call_id}")
        assert answer.status_code == 200, answer.text
        call = answer.json()
        for name in ("callId", "pbx", "direction", "result", "state"):
            assert call[name] == live[name]
        for name in ("startedAt", "endedAt", "talkMs", "holdMs", "durationMs"):
            assert call[name] == int(live[name])
        for name in ("from", "to", "timeline", "transfers", "extensions", "mergedFrom"):
            assert call[name] == json.loads(live[name]), name
        assert [{**segment, "holdMs": 0} for segment in call["segments"]] == \
            [{**segment, "holdMs": 0} for segment in json.loads(live["segments"])]
        assert call.get("mergedInto", "") == live["mergedInto"]
        assert call["hangup"] == json.loads(live["hangup"])
    assert filled.metric("mayday_history_missing_total") == 0
    assert filled.metric("mayday_history_refused_total") == 0


def test_killed_again_and_again(redis, database, lifecycle):
    entries = several()
    one = lifecycle(HISTORY_BATCH=3)
    for number in range(6):
        part = len(entries) // 6 + 1
        feed(redis, entries[number * part:(number + 1) * part])
        wait_until(lambda: redis.exists("events:call"), 10, "events")
        one.kill9()
        one.start()
    wait_written(redis, database)
    rows = database.query("SELECT COUNT(*) AS n, SUM(calls) AS calls FROM history_batches")
    assert int(rows[0]["calls"]) == len(ended(redis))
    stats = database.query("SELECT SUM(calls) AS n FROM stats_trunk WHERE step = 0 AND name = ''")
    merged = database.query("SELECT COUNT(*) AS n FROM call_history WHERE merged_into IS NOT NULL")
    assert int(stats[0]["n"]) == len(ended(redis)) - merged[0]["n"]


def test_two_write_one_history(redis, database, lifecycle):
    one, two = lifecycle(HISTORY_BATCH=2), lifecycle(HISTORY_BATCH=2)
    entries = several()
    feed(redis, entries[:len(entries) // 2])
    wait_until(lambda: settled(redis), 20, "applied")
    leader = one if one.metric("mayday_history_leader") else two
    leader.kill9()
    feed(redis, entries[len(entries) // 2:])
    wait_written(redis, database)
    rows = database.query("SELECT SUM(calls) AS calls FROM history_batches")
    assert int(rows[0]["calls"]) == len(ended(redis))


def test_mariadb_away_only_delays(redis, database, lifecycle, rest, session):
    entries = several()
    one = lifecycle()
    feed(redis, entries[:len(entries) // 3])
    wait_written(redis, database)
    database.stop()
    feed(redis, entries[len(entries) // 3:])
    wait_until(lambda: settled(redis), 20, "applied without MariaDB")
    assert one.ready(), "the live side needs no MariaDB"
    manager = rest(one, session("manager", "1009"))
    wait_until(lambda: manager.get("/api/ami/calls/history").status_code == 503, 20, "503")
    assert manager.get("/api/ami/calls").status_code == 200
    database.start()
    wait_written(redis, database)


def test_without_mariadb_at_all(redis, daemon, rest, session):
    feed(redis, several(CALLS[:1]))
    one = daemon("call-lifecycle", DB_HOST=None)
    wait_until(lambda: settled(redis), 20, "applied")
    manager = rest(one, session("manager", "1009"))
    for path in ("", ".csv", "/1.1"):
        assert_error(manager.get("/api/ami/calls/history" + path), 503, "unavailable")


def test_what_cannot_be_stored_keeps_nothing_else_out(redis, database, lifecycle):
    """A state that somebody broke, one that is gone, one with values beyond every column."""
    now = int(time.time() * 1000)
    whole = {"pbx": "main", "state": "ended", "direction": "internal", "startedAt": now - 5000,
             "endedAt": now, "durationMs": 5000, "talkMs": 0, "holdMs": 0, "result": "answered",
             "from": json.dumps({"number": "1001", "name": "x" * 5000}), "segments": "[]",
             "extensions": '["1001"]', "timeline": "[]", "transfers": "[]"}
    calls = {"whole.1": whole,
             "broken.1": {**whole, "segments": "[{", "from": "no JSON", "startedAt": "soon"},
             "huge.1": {**whole, "cause": "9" * 30, "direction": "d" * 900,
                        "hangup": '{"cause": 99999999999, "text": "' + "é" * 900 + '", "by": "pbx"}'},
             "gone.1": None, "whole.2": whole}
    for call_id, fields in calls.items():
        if fields:
            redis.hset(f"call:{call_id}", mapping={"callId": call_id, **fields})
        event = {"v": 1, "eventType": "call:ended", "callId": call_id, "timestamp": now,
                 "redisKey": f"call:{call_id}",
                 "data": {"state": "ended", "endedAt": now, "durationMs": 5000, "cause": 16,
                          "causeText": "x", "result": "answered", "reason": "hangup"}}
        redis.xadd("events:call", {"e": json.dumps(event)})
    one = lifecycle()
    wait_until(lambda: {"whole.1", "whole.2"} <= set(kept(database)), 20, "the whole ones")
    assert "gone.1" not in kept(database)
    assert one.metric("mayday_history_missing_total") >= 1


def test_what_is_too_old_goes(redis, database, daemon):
    old, now = int(time.time() * 1000) - 40 * 86_400_000, int(time.time() * 1000) - 600_000
    feed(redis, several(CALLS[:3], old) + several(CALLS[3:], now))
    settings = {**database.settings, "HISTORY_KEEP_DAYS": 30}
    one = daemon("call-lifecycle", **settings)
    wait_until(lambda: settled(redis), 20, "applied")
    wait_until(lambda: database.query("SELECT SUM(calls) AS n FROM history_batches")[0]["n"]
               == len(ended(redis)), 20, "written")
    one.restart()
    wait_until(lambda: database.query("SELECT COUNT(*) AS n FROM call_history WHERE started_at < %s",
                                      old + 86_400_000)[0]["n"] == 0, 20, "old ones gone")
    for table, column in (("call_segments", "started_at"), ("call_parties", "started_at")):
        assert not database.query(f"SELECT * FROM {table} WHERE {column} < %s", old + 86_400_000)
    assert kept(database)
    sums = database.query("SELECT SUM(calls) AS n FROM stats_trunk WHERE step = 0 AND at < %s",
                          old + 86_400_000)
    assert sums[0]["n"] > 0, "sums stay"


def test_migrate(database):
    environment = {**openapi.MINIMAL_SETTINGS, **database.settings}
    for _ in range(2):
        done = subprocess.run([BIN / "call-lifecycle", "--migrate"], env=environment, timeout=60,
                              capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    names = {row["name"] for row in database.query(
        "SELECT name FROM schema_migrations WHERE component = 'call-lifecycle'")}
    assert {"0001_history", "0002_stats"} <= names
    del environment["DB_HOST"]
    done = subprocess.run([BIN / "call-lifecycle", "--migrate"], env=environment, timeout=60,
                          capture_output=True, text=True)
    assert done.returncode == 1


# ---- how it is read ----

def pages(client, path, limit):
    found, cursor = [], None
    while True:
        answer = client.get(f"{path}{'&' if '=' in path else ''}limit={limit}"
                            + (f"&cursor={cursor}" if cursor else ""))
        assert answer.status_code == 200, answer.text
        assert len(answer.json()["calls"]) <= limit
        found += answer.json()["calls"]
        cursor = answer.json()["nextCursor"]
        if cursor is None:
            return found


def test_search(redis, database, manager):
    every = pages(manager, "/api/ami/calls/history?", 2)
    assert sorted(call["callId"] for call in every) == kept(database)
    order = [(call["startedAt"], call["callId"]) for call in every]
    assert order == sorted(order, reverse=True)
    live = {call_id: redis.hgetall(f"call:{call_id}") for call_id in kept(database)}

    def expected(fits):
        return sorted(call_id for call_id, call in live.items() if fits(call))

    def found(query):
        return sorted(call["callId"] for call in pages(manager, f"/api/ami/calls/history?{query}", 3))

    extensions = {ext for call in live.values() for ext in json.loads(call["extensions"])}
    for extension in extensions:
        assert found(f"agent={extension}") == expected(
            lambda call: extension in json.loads(call["extensions"])), extension
    for result in {call["result"] for call in live.values()}:
        assert found(f"result={result}") == expected(lambda call: call["result"] == result)
    queues = {json.loads(call["queue"])["name"] for call in live.values() if "queue" in call}
    assert len(queues) >= 2
    for queue in queues:
        assert found(f"queue={queue}") == expected(
            lambda call: json.loads(call.get("queue", "{}")).get("name") == queue)
    number = json.loads(next(call for call in live.values()
                             if call["direction"] == "inbound")["from"])["number"]
    assert found(f"number={number}") == expected(
        lambda call: number in (json.loads(call["from"])["number"], json.loads(call["to"])["number"]))
    middle = sorted(int(call["startedAt"]) for call in live.values())[len(live) // 2]
    assert found(f"from={middle}") == expected(lambda call: int(call["startedAt"]) >= middle)
    assert found(f"to={middle}&direction=internal") == expected(
        lambda call: int(call["startedAt"]) <= middle and call["direction"] == "internal")
    assert found("agent=1003&number=9999") == []
    assert found("queue=" + "' OR 1=1 -- ") == []


def test_an_agent_sees_its_own_calls_alone(redis, database, filled, rest, session):
    agent = rest(filled, session("agent", "1001"))
    own = pages(agent, "/api/ami/calls/history?", 50)
    assert own and all("1001" in json.loads(redis.hget(f"call:{call['callId']}", "extensions"))
                       for call in own)
    assert_error(agent.get("/api/ami/calls/history?agent=1002"), 403, "not_your_calls")
    assert_error(agent.get("/api/ami/calls/history.csv?agent=1002"), 403, "not_your_calls")
    others = set(kept(database)) - {call["callId"] for call in own}
    assert_error(agent.get(f"/api/ami/calls/history/{others.pop()}"), 403, "not_your_call")
    assert agent.get(f"/api/ami/calls/history/{own[0]['callId']}").status_code == 200
    rows = list(csv.DictReader(io.StringIO(agent.get("/api/ami/calls/history.csv").text)))
    assert sorted(row["callId"] for row in rows) == sorted(call["callId"] for call in own)
    nobody = rest(filled, session("agent", ""))
    assert_error(nobody.get("/api/ami/calls/history"), 403, "not_your_calls")


def test_bad_questions(manager):
    for query in ("from=yesterday", "to=-1", "from=2&to=1", "limit=0", "limit=201", "result=%01",
                  "from=99999999999999999999", "cursor=abc", "cursor=1_", "agent=",
                  "agent=" + "1" * 50, "queue=" + "q" * 90):
        answer = manager.get(f"/api/ami/calls/history?{query}")
        assert answer.status_code == 400, f"{query}: {answer.text}"
    assert_error(manager.get("/api/ami/calls/history/1.1"), 404, "call_not_found")
    assert_error(manager.get("/api/ami/calls/history/" + "x" * 200), 404, "call_not_found")


def test_csv_is_a_stream(redis, database, filled, manager):
    """Many rows, a client that reads slowly, one that leaves: never more than a page in memory."""
    database.query("INSERT INTO call_history (call_id, batch, pbx, direction, from_number, from_name,"
                   " started_at, ended_at, duration_ms, talk_ms, hold_ms, result, details)"
                   " SELECT CONCAT('bulk.', seq), 0, 'main', 'internal', '=1+1', CONCAT('\"a, b\" ', seq),"
                   " 1000000 + seq, 1000010 + seq, 10, 0, 0, 'answered', '{}' FROM seq_1_to_40000")
    answer = manager.get("/api/ami/calls/history.csv?to=2000000", timeout=60)
    assert answer.headers["Content-Type"].startswith("text/csv")
    assert answer.headers["Transfer-Encoding"] == "chunked"
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert len(rows) == 40000
    assert [int(row["startedAt"]) for row in rows] == list(range(1040000, 1000000, -1))
    assert rows[0]["from"] == "'=1+1" and rows[0]["fromName"] == '"a, b" 40000'
    before = filled.metric("mayday_process_resident_memory_bytes") or 0
    for _ in range(3):
        gone = requests.get(filled.url + "/api/ami/calls/history.csv?to=2000000", stream=True,
                            headers={"Authorization": f"Bearer {manager.token}"}, timeout=20)
        next(gone.iter_content(10))
        gone.close()
    assert filled.alive()
    after = filled.metric("mayday_process_resident_memory_bytes") or 0
    assert after - before < 8 << 20
