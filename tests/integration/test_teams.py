"""A manager sees the agents and calls of the own teams, in every daemon, and a change of a team counts at
once: at the next request, and on sockets that are open."""

import json

import pytest
import requests

from lib import events, teams
from lib.client import assert_error
from lib.node import SocketIo
from lib.process import wait_until
from lib.transfers import BASE
from lib.who import NAME, PASSWORD, token_of

OURS, THEIRS, NOBODYS = "1001", "1002", "1003"
CALLS = {"ours": [OURS], "theirs": [THEIRS], "both": [THEIRS, OURS], "waiting": []}


@pytest.fixture
def world(redis):
    """Two teams, an agent of each and one of none, calls, a queue with all of them in it."""
    teams.put(redis, t7=[OURS], t8=[THEIRS])
    for extension in (OURS, THEIRS, NOBODYS):
        redis.hset("agents:main", extension, "not_inuse 1 ")
        redis.hset(f"agent:{extension}", mapping={
            "extension": extension, "pbx": "main", "state": "available", "sinceAt": 1})
    for number, (call_id, extensions) in enumerate(CALLS.items(), 1):
        redis.hset(f"call:{call_id}", mapping={
            "callId": call_id, "pbx": "main", "state": "established", "direction": "inbound",
            "startedAt": number, "extensions": json.dumps(extensions),
            **{name: "[]" for name in ("channels", "segments", "recordings", "transfers",
                                       "mergedFrom", "timeline")}})
        redis.zadd("calls:recent", {call_id: number})
        redis.sadd("calls:live:main", call_id)
        for extension in extensions:
            redis.zadd(f"calls:of:{extension}", {call_id: number})
    redis.sadd("queues:main", "support")
    redis.hset("queue:support", mapping={
        "name": "support", "pbx": "main", "waiting": 1, "callers": json.dumps([
            {"callId": "waiting", "uniqueid": "1.1", "number": "030", "position": 1, "joinedAt": 1}]),
        "members": json.dumps([
            {"interface": f"PJSIP/{each}", "name": each, "extension": each, "deviceState": "inuse",
             "available": True, "loggedIn": True, "paused": False}
            for each in (OURS, THEIRS, NOBODYS)])})
    return redis


@pytest.fixture
def manager(session):
    return session("manager", "2000", teams="7")


def ids(answer, what="calls", name="callId"):
    assert answer.status_code == 200, answer.text
    return sorted(each[name] for each in answer.json()[what])


# ---- call-lifecycle

def test_calls_and_agents_of_the_teams(world, daemon, rest, manager, session):
    lifecycle = daemon("call-lifecycle", until="sees_redis")
    mine, agent = rest(lifecycle, manager), rest(lifecycle, session("agent", OURS))
    boss = rest(lifecycle, session("admin", "2001"))
    assert ids(boss.get("/api/ami/calls")) == sorted(CALLS)
    assert ids(mine.get("/api/ami/calls")) == ["both", "ours"] == ids(agent.get("/api/ami/calls"))
    assert ids(mine.get(f"/api/ami/calls?extension={OURS}")) == ["both", "ours"]
    assert_error(mine.get(f"/api/ami/calls?extension={THEIRS}"), 403, "not_your_calls")
    assert mine.get("/api/ami/calls/both").status_code == 200
    for hidden in ("theirs", "waiting"):
        assert_error(mine.get(f"/api/ami/calls/{hidden}"), 403, "not_your_call")
        assert_error(mine.delete(f"/api/ami/calls/{hidden}"), 403, "not_your_call")
    assert_error(mine.post("/api/ami/calls/originate", {"from": THEIRS, "to": "1"}), 403,
                 "not_your_extension")
    assert ids(mine.get("/api/ami/agents"), "agents", "extension") == [OURS]
    assert mine.get(f"/api/ami/agents/{OURS}").status_code == 200
    for hidden in (THEIRS, NOBODYS):
        assert_error(mine.get(f"/api/ami/agents/{hidden}"), 403, "not_own_extension")
    members = [each["extension"] for each in mine.get("/api/ami/queues/support").json()["members"]]
    assert members == [OURS]
    assert len(boss.get("/api/ami/queues/support").json()["members"]) == 3
    now = mine.get("/api/admin/call-stats").json()
    assert now["calls"]["total"] == 2 and now["agents"]["total"] == 1
    assert boss.get("/api/admin/call-stats").json()["calls"]["total"] == len(CALLS)


def test_a_change_counts_at_the_next_request(world, daemon, rest, manager):
    lifecycle = daemon("call-lifecycle", until="sees_redis")
    mine = rest(lifecycle, manager)
    for _ in range(3):
        assert ids(mine.get("/api/ami/agents"), "agents", "extension") == [OURS]
        teams.put(world, t7=[OURS, NOBODYS])
        assert ids(mine.get("/api/ami/agents"), "agents", "extension") == [OURS, NOBODYS]
        teams.put(world, t7=[OURS])
    teams.manage(world, manager, "7 8")
    assert ids(mine.get("/api/ami/calls")) == ["both", "ours", "theirs"]
    teams.manage(world, manager, "")
    assert ids(mine.get("/api/ami/calls")) == [] == ids(mine.get("/api/ami/agents"), "agents",
                                                        "extension")


def test_recordings_of_the_teams(world, daemon, rest, manager):
    lifecycle = daemon("call-lifecycle", until="sees_redis")
    for recording_id, call_id in (("1-aa", "ours"), ("2-bb", "theirs")):
        world.hset(f"recording:{recording_id}", mapping={
            "recordingId": recording_id, "callId": call_id, "pbx": "main", "state": "ended",
            "startedAt": 1, "endedAt": 2, "extensions": json.dumps(CALLS[call_id])})
    mine = rest(lifecycle, manager)
    assert mine.get("/api/ami/recordings/1-aa").status_code == 200
    assert_error(mine.get("/api/ami/recordings/2-bb"), 403, "not_your_call")
    assert_error(mine.get("/api/ami/recordings/2-bb/audio"), 403, "not_your_call")


def put_history(database):
    """A call of each team and what its agent did, long ago."""
    for number, (call_id, extension) in enumerate((("ours", OURS), ("theirs", THEIRS)), 1):
        at = 1_790_000_000_000 // 900_000 * 900_000
        database.query(
            "INSERT INTO call_history (call_id, batch, pbx, direction, started_at, ended_at, "
            "duration_ms, talk_ms, hold_ms, result, details) "
            "VALUES (%s, 1, 'main', 'inbound', %s, %s, 1, 1, 0, 'answered', "
            "'{\"timeline\": [], \"extensions\": []}')",
            call_id, at + number, at + number + 1)
        database.query("INSERT INTO call_parties VALUES (%s, %s, %s, 1), ('+4930', %s, %s, 0)",
                       extension, at + number, call_id, at + number, call_id)
        for step in (0, 1):
            database.query("INSERT INTO stats_agent (step, at, name, answered) VALUES (%s, %s, %s, 5)",
                           step, at, extension)
    return at


def test_history_and_numbers_of_the_teams(world, daemon, database, rest, manager, session):
    lifecycle = daemon("call-lifecycle", **database.settings, HISTORY_KEEP_DAYS=0)
    wait_until(lambda: database.query("SHOW TABLES LIKE 'stats_agent'"), 20)
    at = put_history(database)
    mine, boss = rest(lifecycle, manager), rest(lifecycle, session("admin", "2001"))
    path = "/api/ami/calls/history"
    wait_until(lambda: boss.get(path).status_code == 200, 20)
    assert ids(boss.get(path)) == ["ours", "theirs"] and ids(mine.get(path)) == ["ours"]
    assert ids(mine.get(f"{path}?number=%2B4930&result=answered")) == ["ours"]
    assert ids(mine.get(f"{path}?agent={OURS}")) == ["ours"]
    assert_error(mine.get(f"{path}?agent={THEIRS}"), 403, "not_your_calls")
    assert mine.get(f"{path}/ours").status_code == 200
    assert_error(mine.get(f"{path}/theirs"), 403, "not_your_call")
    lines = mine.get(f"{path}.csv").text.splitlines()
    assert len(lines) == 2 and "ours" in lines[1]

    def rows(client, query):
        answer = client.get(f"/api/admin/historical-stats?from={at}&to={at + 1}&{query}")
        assert answer.status_code == 200, answer.text
        return [(row.get("name"), row.get("answered")) for row in answer.json()["rows"]]
    assert rows(boss, "groupBy=agent&interval=15min") == [(OURS, 5), (THEIRS, 5)]
    assert rows(mine, "groupBy=agent&interval=15min") == [(OURS, 5)]
    assert rows(mine, f"groupBy=agent&name={OURS}") == [(OURS, 5)]
    teams.put(world, t7=[OURS, THEIRS])
    assert rows(mine, "interval=15min") == [(None, 10)] == rows(mine, "interval=month")
    teams.put(world, t7=[])
    assert rows(mine, "groupBy=agent") == []
    for hidden in (f"groupBy=agent&name={THEIRS}", "groupBy=trunk"):
        assert_error(mine.get(f"/api/admin/historical-stats?{hidden}"), 403, "not_your_teams")


# ---- transfer-svc

def put_transfer(redis, database, number, extension):
    transfer_id = f"t{number}-{extension}"
    redis.hset(f"transfer:{transfer_id}", mapping={
        "transferId": transfer_id, "version": 1, "state": "dialing", "mode": "alone",
        "kind": "blind", "callId": f"c{number}", "pbx": "main", "from": extension, "to": "1009",
        "requestedAt": number, "stateAt": number})
    redis.zadd("transfers:recent", {transfer_id: number})
    redis.zadd(f"transfers:of:{extension}", {transfer_id: number})
    database.query(
        "INSERT INTO transfer_history VALUES (%s, 'c', 'main', 'blind', %s, 'x', '1009', 'completed', "
        "'', 'u', %s, NULL, NULL, 9, 0)", transfer_id, extension, number)
    return transfer_id


def test_transfers_of_the_teams(redis, daemon, database, rest, manager):
    one = daemon("transfer-svc", **database.settings)
    wait_until(lambda: database.query("SHOW TABLES LIKE 'transfer_history'"), 20)
    teams.put(redis, t7=[OURS], t8=[THEIRS])
    ours, theirs = (put_transfer(redis, database, number, extension)
                    for number, extension in ((1, OURS), (2, THEIRS)))
    mine = rest(one, manager)
    wait_until(lambda: mine.get(f"{BASE}/history").status_code == 200, 20)
    for path in ("enhanced-status", "history"):
        assert ids(mine.get(f"{BASE}/{path}"), "transfers", "transferId") == [ours]
        assert_error(mine.get(f"{BASE}/{path}?extension={THEIRS}"), 403, "not_your_transfers")
    assert mine.get(f"{BASE}/{ours}/state").status_code == 200
    assert_error(mine.get(f"{BASE}/{theirs}/state"), 403, "not_your_transfer")
    assert_error(mine.delete(f"{BASE}/{theirs}"), 403, "not_your_transfer")
    sums = mine.get(f"{BASE}/analytics?by=agent").json()
    assert [group["key"] for group in sums["groups"]] == [OURS] and sums["all"]["total"] == 1
    redis.hset("call:theirs", mapping={"callId": "theirs", "pbx": "main", "state": "established",
                                       "extensions": json.dumps([THEIRS]), "channels": "[]"})
    assert_error(mine.post(f"{BASE}/blind", {"callId": "theirs", "target": "1009"}), 403,
                 "not_your_call")


# ---- ws-fanout

def heard(socket, redis, own="2000"):
    """Ids of the calls of which events came; another one of ours tells that there are no more."""
    events.add(redis, "last", own)
    found = []
    while True:
        event = socket.wait_for("event")["event"]
        if event["callId"] == "last":
            return found
        found.append(event["callId"])


def tell_all(redis):
    for call_id, extensions in CALLS.items():
        events.add(redis, call_id, *extensions)
    for extension in (OURS, THEIRS):
        events.add(redis, f"agent-{extension}", extension, stream="events:agent",
                   kind="agent:changed", data={"extension": extension, "state": "busy"})


def test_a_socket_hears_of_the_teams(world, daemon, manager, session, websocket):
    fanout = daemon("ws-fanout")
    socket = websocket(fanout, manager)
    tell_all(world)
    wait_until(lambda: fanout.metric("mayday_ws_events_total") == 6)
    assert sorted(heard(socket, world)) == ["agent-1001", "both", "ours"]
    socket.send({"type": "subscribe", "topics": ["call"], "extensions": [OURS, THEIRS]})
    refused = socket.wait_for("subscribed")["refused"]
    assert refused == [{"topic": "call", "extension": THEIRS, "code": "forbidden"}]
    everything = websocket(fanout, session("admin", "2001"))
    tell_all(world)
    assert len({each["event"]["callId"] for each in
                (everything.wait_for("event") for _ in range(6))}) == 6


def test_a_change_counts_on_open_sockets(world, daemon, manager, websocket):
    fanout = daemon("ws-fanout")
    socket = websocket(fanout, manager)

    def is_heard(call_id, *extensions):
        events.add(world, call_id, *extensions)
        return call_id in heard(socket, world)
    assert not is_heard("before", NOBODYS)
    teams.put(world, t7=[OURS, NOBODYS])
    wait_until(lambda: is_heard("joined", NOBODYS), 10)
    teams.put(world, t7=[])
    wait_until(lambda: not is_heard("left", OURS), 10)
    teams.manage(world, manager, "8")
    wait_until(lambda: is_heard("another", THEIRS), 10)
    assert not is_heard("no more", NOBODYS)


def test_a_filter_by_team(world, daemon, manager, session, websocket):
    fanout = daemon("ws-fanout")
    socket = websocket(fanout, session("superuser", ""))
    socket.send({"type": "unsubscribe", "topics": ["agent", "queue", "transfer", "crm"]})
    socket.wait_for("subscribed")
    socket.send({"type": "subscribe", "topics": ["call"], "teams": ["7", "a b"], "snapshot": True})
    answer = socket.wait_for("subscribed")
    assert answer["topics"] == [{"topic": "call", "teams": ["7"]}]
    assert answer["refused"] == [{"topic": "call", "team": "a b", "code": "bad_team"}]
    assert sorted(each["callId"] for each in socket.wait_for("snapshot")["calls"]) == ["both", "ours"]
    tell_all(world)
    assert sorted(heard(socket, world, OURS)) == ["both", "ours"]

    def is_heard(call_id, *extensions):
        events.add(world, call_id, *extensions)
        return call_id in heard(socket, world, OURS)
    teams.put(world, t7=[OURS, NOBODYS])
    wait_until(lambda: is_heard("joined", NOBODYS), 10)
    socket.send({"type": "subscribe", "topics": ["call"]})
    assert socket.wait_for("subscribed")["topics"] == [{"topic": "call"}]
    assert is_heard("theirs", THEIRS)
    mine = websocket(fanout, manager)
    mine.send({"type": "subscribe", "topics": ["call"], "teams": ["8"]})
    answer = mine.wait_for("subscribed")
    assert answer["refused"] == [{"topic": "call", "team": "8", "code": "forbidden"}]
    assert {"topic": "call"} in answer["topics"]
    mine.send({"type": "subscribe", "topics": ["call"], "teams": ["7", "8"]})
    assert {"topic": "call", "teams": ["7"]} in mine.wait_for("subscribed")["topics"]


def test_snapshots_and_what_was_missed(world, daemon, manager, session, websocket):
    fanout = daemon("ws-fanout")
    tell_all(world)
    wait_until(lambda: fanout.metric("mayday_ws_events_total") == 6)
    socket = websocket(fanout, manager, snapshot=True)
    shown = {}
    while set(shown) != {"call", "agent", "queue"}:
        part = socket.wait_for("snapshot")
        shown[part["topic"]] = part[part["topic"] + "s"]
    assert sorted(each["callId"] for each in shown["call"]) == ["both", "ours"]
    assert [each["extension"] for each in shown["agent"]] == [OURS]
    queue, = shown["queue"]
    assert [each["extension"] for each in queue["members"]] == [OURS] and queue["callers"]
    again = websocket(fanout, manager, since=["call:0-1", "agent:0-1"])
    assert sorted(heard(again, world)) == ["agent-1001", "both", "ours"]
    nobody = websocket(fanout, session("manager", "", teams=""), snapshot=True)
    parts = [nobody.wait_for("snapshot") for _ in range(2)]
    assert [part.get("calls", []) + part.get("agents", []) for part in parts] == [[], []]


def test_streams_and_socketio_hear_of_the_teams(world, daemon, manager):
    fanout = daemon("ws-fanout")
    stream = requests.get(f"http://{fanout.ws_listen}/api/events", params={"topics": "call"},
                          headers=manager.headers, stream=True, timeout=15)
    lines = stream.iter_lines(chunk_size=1)
    assert b"event: welcome" in lines
    clients = SocketIo(f"http://{fanout.ws_listen}")
    try:
        clients.connect("mary", manager.token, transports=["websocket"])
        clients.wait("mary", "event", event="welcome")
        tell_all(world)
        events.add(world, "last", "2000")
        said = []
        while not said or b'"last"' not in said[-1]:
            said.append(next(line for line in lines if line.startswith(b'data: {"v"')))
        assert [json.loads(line[6:])["callId"] for line in said] == ["ours", "both", "last"]
        told = [clients.wait("mary", "event", event="call:ringing")["args"][0]["callId"]
                for _ in range(3)]
        assert told == ["ours", "both", "last"]
    finally:
        clients.close()
        stream.close()


def test_connections_of_the_teams(world, daemon, manager, session, websocket, rest):
    fanout = daemon("ws-fanout")
    sockets = [websocket(fanout, each) for each in
               (session("agent", OURS), session("agent", THEIRS), manager)]
    assert len(sockets) == 3
    path = "/api/admin/ws/connections"
    assert ids(rest(fanout, manager).get(path), "connections", "extension") == [OURS, "2000"]
    assert len(ids(rest(fanout, session("admin", "2001")).get(path), "connections",
                   "extension")) == 3
    assert_error(rest(fanout, manager).get("/api/webhooks"), 403, "forbidden")


# ---- auth-svc and the others

def test_an_agent_changes_its_team(auth, daemon, database, redis, websocket):
    """By REST at auth-svc; a manager's open socket hears of the agent from then on."""
    office = auth()
    office.token = token_of(office)
    people = {}
    for name, role, extension in (("mary", "manager", None), ("ann", "agent", OURS)):
        database.query(
            "INSERT INTO users (username, password_hash, role, extension, created_at, updated_at) "
            "SELECT %s, password_hash, %s, %s, 1, 1 FROM users WHERE username = %s",
            name, role, extension, NAME)
        people[name] = str(database.query("SELECT id FROM users WHERE username = %s", name)[0]["id"])
    team = office.post("/api/users/teams", {"name": "North", "managers": [people["mary"]]},
                       token=office.token).json()["id"]
    fanout = daemon("ws-fanout")

    class Mary:
        token = token_of(office, "mary", PASSWORD)
    socket = websocket(fanout, Mary)

    def is_heard(call_id):
        events.add(redis, call_id, OURS)
        events.add(redis, "crm", stream="events:crm", kind="crm:post_created",
                   data={"postId": "1", "title": "x", "by": "1"})
        found = []
        while "crm" not in found:
            found.append(socket.wait_for("event")["event"]["callId"])
        return call_id in found
    assert not is_heard("before")
    changed = office.put(f"/api/users/{people['ann']}", {"teamId": team}, token=office.token)
    assert changed.status_code == 200, changed.text
    wait_until(lambda: is_heard("with"), 10)
    assert office.put(f"/api/users/teams/{team}", {"managers": []},
                      token=office.token).status_code == 200
    wait_until(lambda: not is_heard("without"), 10)
