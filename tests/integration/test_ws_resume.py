"""ws-fanout: nothing missed and nothing doubled, whoever was away."""

import json
import threading
import time

import pytest

from lib import events
from lib.client import WebSocket
from lib.process import wait_until


def cursors(socket):
    return [each["cursor"] for each in socket.messages if each["type"] == "event"]


def read_to(socket, last):
    while not socket.messages or socket.messages[-1].get("cursor") != last:
        assert socket.receive() is not None, f"closed: {socket.close_code}"
    return cursors(socket)


@pytest.fixture
def fanout(daemon):
    return daemon("ws-fanout")


def test_since_goes_on_after_the_last_event(fanout, redis, session, websocket):
    one = session("manager", "2000")
    first = websocket(fanout, one)
    sent = events.add_many(redis, 10, "1001")
    assert read_to(first, sent[-1]) == sent
    first.close()
    missed = events.add_many(redis, 10, "1001", first=10)
    again = websocket(fanout, one, since=[sent[-1]])
    assert read_to(again, missed[-1]) == missed
    live = events.add_many(redis, 10, "1001", first=20)
    assert read_to(again, live[-1]) == missed + live


def test_the_cursors_of_the_welcome_can_be_used(fanout, redis, session, websocket):
    events.add_many(redis, 5, "1001")
    one = session("agent", "1001")
    first = websocket(fanout, one)
    first.close()
    missed = events.add_many(redis, 5, "1001", first=5)
    again = websocket(fanout, one, since=first.welcome["cursors"])
    assert read_to(again, missed[-1]) == missed


def test_what_is_replayed_is_filtered_by_rooms(fanout, redis, session, websocket):
    one = session("agent", "1001")
    start = events.add(redis, "start", "1001")
    events.add_many(redis, 300, "1002")
    mine = events.add_many(redis, 3, "1001", "1002", first=300)
    agent = websocket(fanout, one, since=[start])
    assert read_to(agent, mine[-1]) == mine


@pytest.mark.parametrize("settings", [{}, {"WS_BACKLOG_KB": 16, "WS_QUEUE_KB": 64}])
def test_missed_events_join_live_ones_without_a_seam(daemon, redis, session, websocket, settings):
    """While events keep coming: from Redis, from the backlog, live; clients come at any moment."""
    fanout = daemon("ws-fanout", **settings)
    sent = events.add_many(redis, 2000, "1001")
    stop = threading.Event()

    def write():
        number = 2000
        while not stop.is_set():
            sent.extend(events.add_many(redis, 20, "1001", first=number))
            number += 20
            time.sleep(0.005)
    writer = threading.Thread(target=write)
    writer.start()
    manager, agent = session("manager", "2000"), session("agent", "1001")
    starts = [0, 1, 500, 1500, 1999]
    sockets = [websocket(fanout, who, since=[sent[start]])
               for start in starts for who in (manager, agent)]
    time.sleep(0.5)
    stop.set()
    writer.join()
    for number, socket in enumerate(sockets):
        assert read_to(socket, sent[-1]) == sent[starts[number // 2] + 1:]
        assert not any(each["type"] == "gap" for each in socket.messages)


def test_a_restart_of_the_daemon_loses_nothing(fanout, redis, session, websocket):
    one = session("manager", "2000")
    socket = websocket(fanout, one)
    sent = events.add_many(redis, 100, "1001")
    read_to(socket, sent[49])
    fanout.kill9()
    while socket.receive() is not None:
        pass
    seen = cursors(socket)
    sent += events.add_many(redis, 100, "1001", first=100)
    fanout.start()
    again = websocket(fanout, one, since=[seen[-1]])
    sent += events.add_many(redis, 100, "1001", first=200)
    assert seen + read_to(again, sent[-1]) == sent


def test_a_restart_of_redis_loses_nothing(fanout, redis_server, redis, session, websocket):
    one = session("manager", "2000")
    stays, leaves = websocket(fanout, one), websocket(fanout, one)
    sent = events.add_many(redis, 50, "1001")
    read_to(leaves, sent[-1])
    leaves.close()
    time.sleep(1.5)  # the append-only file is written once a second
    redis_server.kill9()
    wait_until(lambda: not fanout.ready())
    redis_server.start()
    sent += events.add_many(redis, 50, "1001", first=50)
    assert read_to(stays, sent[-1]) == sent
    wait_until(fanout.ready)
    again = websocket(fanout, one, since=[sent[49]])
    assert read_to(again, sent[-1]) == sent[50:]


def live_call(redis, call_id, state, *extensions):
    redis.sadd("calls:live:main", call_id)
    redis.hset(f"call:{call_id}", mapping={
        "callId": call_id, "pbx": "main", "state": state, "startedAt": 1640995200000,
        "answeredAt": "", "from": json.dumps({"number": extensions[0]}), "timeline": "[{}]",
        "model": "{}", "extensions": json.dumps(extensions)})
    for each in extensions:
        redis.zadd(f"calls:of:{each}", {call_id: 1640995200000})


def snapshot(socket):
    calls = {}
    while True:
        message = socket.wait_for("snapshot")
        calls |= {each["callId"]: each for each in message["calls"]}
        if message["last"]:
            return message["asOf"], calls


def test_too_old_gives_a_gap_and_a_snapshot(fanout, redis, session, websocket):
    old = events.add_many(redis, 20, "1001")
    live_call(redis, "c1", "established", "1001", "1002")
    live_call(redis, "c2", "ringing", "1003")
    redis.xtrim("events:call", maxlen=10, approximate=False)
    fanout.restart()  # so that they are not in its backlog
    manager = websocket(fanout, session("manager", "2000"), since=[old[0]])
    gap = manager.wait_for("gap")
    assert gap["reason"] == "too_old" and f"call:{gap['from']}" == old[0]
    as_of, calls = snapshot(manager)
    assert as_of == old[-1] and set(calls) == {"c1", "c2"}
    assert calls["c1"] == {"callId": "c1", "pbx": "main", "state": "established",
                           "startedAt": 1640995200000, "from": {"number": "1001"},
                           "extensions": ["1001", "1002"]}
    agent = websocket(fanout, session("agent", "1002"), since=[old[0]])
    assert set(snapshot(agent)[1]) == {"c1"}
    live = events.add(redis, "c1", "1001", "1002")
    assert agent.wait_for("event")["cursor"] == live
    assert read_to(manager, live) == [live]


def test_cursors_at_the_edge_are_no_gap(fanout, redis, session, websocket):
    old = events.add_many(redis, 20, "1001")
    redis.xtrim("events:call", maxlen=10, approximate=False)
    fanout.restart()
    socket = websocket(fanout, session("manager", "2000"), since=[old[10]])
    assert read_to(socket, old[-1]) == old[11:]
    newest = websocket(fanout, session("manager", "2000"), since=[old[-1]])
    redis.xtrim("events:call", maxlen=0, approximate=False)
    fanout.restart()
    newest = websocket(fanout, session("manager", "2000"), since=[old[-1]])
    live = events.add(redis, "live", "1001")
    assert newest.wait_for("event")["cursor"] == live
    assert not any(each["type"] == "gap" for each in newest.messages)


def test_a_cursor_that_redis_never_gave(fanout, redis, session, websocket):
    events.add(redis, "one", "1001")
    socket = websocket(fanout, session("manager", "2000"), since=["call:99999999999999-0"])
    assert socket.wait_for("gap")["reason"] == "unknown"
    assert snapshot(socket)[1] == {}
    live = events.add(redis, "two", "1001")
    assert socket.wait_for("event")["cursor"] == live


def test_more_than_is_read_again(daemon, redis, session, websocket):
    fanout = daemon("ws-fanout", WS_REPLAY_MAX=100, WS_BACKLOG_KB=16)
    sent = events.add_many(redis, 3000, "1001")
    socket = websocket(fanout, session("manager", "2000"), since=[sent[0]])
    assert socket.wait_for("gap")["reason"] == "too_many"
    snapshot(socket)
    live = events.add(redis, "live", "1001")
    assert read_to(socket, live)[-1] == live


def test_a_snapshot_on_request_joins_what_follows(fanout, redis, session, websocket):
    live_call(redis, "c1", "established", "1001")
    before = events.add(redis, "c1", "1001")
    socket = websocket(fanout, session("manager", "2000"), snapshot=True)
    as_of, calls = snapshot(socket)
    assert as_of == before and set(calls) == {"c1"}
    after = events.add(redis, "c1", "1001")
    assert read_to(socket, after) == [after]


def test_a_large_snapshot_comes_in_parts(daemon, redis, session, websocket):
    fanout = daemon("ws-fanout", WS_QUEUE_KB=64, WS_SNAPSHOT_MAX=900)
    for number in range(1000):
        live_call(redis, f"c{number}", "established", "1001")
    socket = websocket(fanout, session("manager", "2000"), snapshot=True)
    _, calls = snapshot(socket)
    assert len(calls) == 900 and socket.messages[-1]["truncated"]
    assert sum(each["type"] == "snapshot" for each in socket.messages) > 1


def test_bad_cursors_are_refused(fanout, session, recording):
    for since in (["call"], ["moon:1-0"], ["call:-1-0"], ["call:1-0x"], [5], "call:1-0",
                  ["call:99999999999999999999999-0"]):
        socket = WebSocket(fanout.ws_url, recording)
        socket.send({"type": "auth", "token": session().token, "since": since})
        assert socket.receive()["code"] == "bad_message", since
        socket.close()


def test_subscribe_takes_cursors_too(fanout, redis, session, websocket):
    socket = websocket(fanout, session("manager", "2000"))
    start = events.add(redis, "u-2000", "2000", stream="events:session", kind="session:created",
                       data={"sessionId": "s", "userId": "u", "username": "u", "role": "agent",
                             "expiresAt": 1})
    missed = events.add(redis, "u-2001", "2000", stream="events:session", kind="session:created",
                        data={"sessionId": "s", "userId": "u", "username": "u", "role": "agent",
                              "expiresAt": 1})
    socket.send({"type": "subscribe", "topics": ["session"], "since": [start]})
    assert read_to(socket, missed) == [missed]
