"""ws-fanout: what is, before what happens; filters; acknowledged delivery; presence; the end."""

import asyncio
import json
import zlib

import pytest
import websockets

from lib import events
from lib.client import assert_error
from lib.process import wait_until
from lib.raw_websocket import RawSocket, frame


def agent(redis, extension, state="available"):
    redis.hset("agents:main", extension, "not_inuse 1 ")
    redis.hset(f"agent:{extension}", mapping={
        "extension": extension, "pbx": "main", "state": state, "sinceAt": 1640995200000})
    return events.add(redis, f"a-{extension}", extension, stream="events:agent",
                      kind="agent:changed", data={"extension": extension, "state": state},
                      redisKey=f"agent:{extension}")


def queue(redis, name, *members):
    redis.sadd("queues:main", name)
    redis.hset(f"queue:{name}", mapping={
        "name": name, "longestWaitMs": 1500, "callers": json.dumps([{"number": "030"}]),
        "members": json.dumps([{"extension": each} for each in members])})


def snapshots(socket, *topics):
    """{topic: (asOf, items)} of complete snapshots."""
    found, done = {}, set()
    while done != set(topics):
        part = socket.wait_for("snapshot")
        items = part[part["topic"] + "s"]
        found.setdefault(part["topic"], (part["asOf"], []))[1].extend(items)
        if part["last"]:
            done.add(part["topic"])
    return found


def test_a_snapshot_of_agents_and_queues(daemon, redis, session, websocket):
    fanout = daemon("ws-fanout")
    agent(redis, "1001")
    last = agent(redis, "1002", "paused")
    queue(redis, "support", "1001")
    queue(redis, "sales", "1002")
    manager = websocket(fanout, session("manager", "2000"), snapshot=True)
    found = snapshots(manager, "call", "agent", "queue")
    as_of, agents = found["agent"]
    assert as_of == last
    assert {each["extension"]: each["state"] for each in agents} == {"1001": "available",
                                                                     "1002": "paused"}
    assert agents[0]["sinceAt"] == 1640995200000
    queues = {each["name"]: each for each in found["queue"][1]}
    assert set(queues) == {"support", "sales"}
    assert queues["sales"]["callers"] == [{"number": "030"}]
    assert queues["sales"]["longestWaitMs"] == 1500
    one = snapshots(websocket(fanout, session("agent", "1001"), snapshot=True),
                    "call", "agent", "queue")
    assert [each["extension"] for each in one["agent"][1]] == ["1001"]
    assert one["queue"][1] == [{"name": "support", "longestWaitMs": 1500,
                                "members": [{"extension": "1001"}]}]
    after = agent(redis, "1001", "busy")
    assert manager.wait_for("event")["cursor"] == after


def test_a_gap_of_agents_brings_their_snapshot(daemon, redis, session, websocket):
    fanout = daemon("ws-fanout")
    old = agent(redis, "1001")
    agent(redis, "1001", "busy")
    redis.xtrim("events:agent", maxlen=1, approximate=False)
    redis.xadd("events:agent", {"e": redis.xrevrange("events:agent", count=1)[0][1]["e"]})
    redis.xtrim("events:agent", maxlen=1, approximate=False)
    fanout.restart()
    socket = websocket(fanout, session("manager", "2000"), since=[old])
    assert socket.wait_for("gap")["topic"] == "agent"
    assert [each["state"] for each in snapshots(socket, "agent")["agent"][1]] == ["busy"]


def test_filters_by_queue_and_type(daemon, redis, session, websocket):
    fanout = daemon("ws-fanout")
    socket = websocket(fanout, session("manager", "2000"))
    socket.send({"type": "unsubscribe", "topics": ["agent", "queue", "transfer", "crm"]})
    socket.wait_for("subscribed")
    socket.send({"type": "subscribe", "topics": ["call"], "queues": ["support", ""],
                 "types": ["call:queued", "agent:changed"]})
    answer = socket.wait_for("subscribed")
    assert answer["topics"] == [{"topic": "call", "queues": ["support"],
                                 "types": ["call:queued"]}]
    assert answer["refused"] == [{"topic": "call", "queue": "", "code": "bad_queue"}]
    events.add(redis, "a", "1001", data={"state": "ringing"})
    events.add(redis, "b", "1001", kind="call:queued", data={"state": "queued", "queue": "sales"})
    yes = events.add(redis, "c", "1001", kind="call:queued",
                     data={"state": "queued", "queue": "support"})
    assert socket.wait_for("event")["cursor"] == yes
    socket.send({"type": "subscribe", "topics": ["call"]})
    assert socket.wait_for("subscribed")["topics"] == [{"topic": "call"}]
    every = events.add(redis, "d", "1001")
    assert socket.wait_for("event")["cursor"] == every
    one = websocket(fanout, session("agent", "1001"))
    one.send({"type": "subscribe", "topics": ["queue"], "queues": ["support"]})
    assert one.wait_for("subscribed")["refused"] == [
        {"topic": "queue", "queue": "support", "code": "forbidden"}]


def read(socket, count):
    return [socket.wait_for("event")["cursor"] for _ in range(count)]


def test_what_is_not_acknowledged_comes_again(daemon, redis, session, websocket):
    fanout = daemon("ws-fanout", WS_ACK_MS=300)
    who = session("manager", "2000")
    socket = websocket(fanout, who, ack="wallboard")
    sent = events.add_many(redis, 3, "1001")
    assert read(socket, 3) == sent
    socket.send({"type": "ack", "cursors": [sent[0]]})
    assert read(socket, 2) == sent[1:]  # again, on this socket
    socket.send({"type": "ack", "cursors": [sent[1]], "id": "a"})
    assert socket.wait_for("acknowledged")["id"] == "a"
    wait_until(lambda: redis.hgetall("cache:acks:u-user-2000:wallboard") ==
               {"call": sent[1].split(":")[1]})
    socket.close()
    late = events.add(redis, "late", "1001")
    fanout.restart()
    again = websocket(fanout, who, ack="wallboard")  # and on the next
    assert read(again, 2) == [sent[2], late]
    again.send({"type": "ack", "cursors": [late]})
    wait_until(lambda: redis.hget("cache:acks:u-user-2000:wallboard", "call") in late)
    other = websocket(fanout, who)
    other.send({"type": "ack", "cursors": [late]})
    assert other.receive()["code"] == "not_acknowledging"
    other.send({"type": "auth", "token": who.token, "ack": "a b"})
    assert other.receive()["code"] == "bad_message"


def test_a_burst_larger_than_the_queue_does_not_close_a_fast_client(daemon, redis, session,
                                                                    websocket):
    fanout = daemon("ws-fanout", WS_QUEUE_KB=64)
    socket = websocket(fanout, session("manager", "2000"))
    for first in range(0, 1200, 300):
        sent = events.add_many(redis, 300, "1001", first=first,
                               data={"state": "ringing", "caller": "x" * 1000})
        assert read(socket, 300) == sent
    assert fanout.metric("mayday_ws_resyncs_total") == 0


def test_presence_and_an_administrators_close(daemon, redis, session, websocket, rest):
    fanout = daemon("ws-fanout", WS_QUEUE_KB=1024)
    manager = session("manager", "2000")
    slow = RawSocket(fanout.ws_listen, receive_buffer=4096).open()
    slow.send(frame(1, json.dumps({"type": "auth", "token": manager.token}).encode()))
    assert json.loads(slow.frame()[1])["type"] == "welcome"
    fast = websocket(fanout, session("agent", "1001"))
    events.add_many(redis, 400, "1001", data={"state": "ringing", "caller": "x" * 2000})
    admin = rest(fanout, session("admin", "9000"))

    def listed():
        return admin.get("/api/admin/ws/connections").json()["connections"]
    wait_until(lambda: listed()[0]["queuedFrames"] > 0)
    behind, there = listed()
    assert behind["queuedBytes"] > 0 and behind["lagMs"] >= 0 and behind["transport"] == "websocket"
    assert behind["lagEvents"] == behind["queuedFrames"] and there["lagEvents"] >= 0
    wait_until(lambda: listed()[1]["lagMs"] == 0)
    assert there["connectionId"] == fast.welcome["connectionId"]
    path = f"/api/admin/ws/connections/{there['connectionId']}"
    assert_error(rest(fanout, manager).delete(path), 403, "forbidden")
    assert admin.delete(path).status_code == 204
    assert fast.wait_closed() == 4403
    assert_error(admin.delete(path), 404, "not_found")
    assert_error(admin.delete("/api/admin/ws/connections/x-1"), 404, "not_found")
    slow.close()


def test_everybody_is_told_to_come_back_at_another_moment(daemon, session, websocket):
    fanout = daemon("ws-fanout", WS_SPREAD_MS=100000)
    sockets = [websocket(fanout, session()) for _ in range(5)]
    fanout.signal(15)
    delays = [socket.wait_for("leaving")["reconnectInMs"] for socket in sockets]
    assert [socket.wait_closed() for socket in sockets] == [1001] * 5
    assert len(set(delays)) > 1 and max(delays) <= 100000
    wait_until(lambda: not fanout.running())


def test_compression_for_who_asks(daemon, redis, session):
    """Both ways, large and small messages, beside a client without it."""
    fanout = daemon("ws-fanout")

    async def run():
        plain = await websockets.connect(fanout.ws_url, compression=None)
        small = await websockets.connect(fanout.ws_url, compression="deflate")
        assert small.extensions and not plain.extensions
        for socket in (plain, small):
            await socket.send(json.dumps({"type": "auth", "token": session("manager").token}))
            assert json.loads(await socket.recv())["type"] == "welcome"
        await small.send(json.dumps({"type": "ping", "id": "x" * 64, "pad": "y" * 5000}))
        assert json.loads(await small.recv())["id"] == "x" * 64
        for call in ("a", "b"):
            sent = events.add(redis, call, "1001", data={"state": "ringing", "caller": call * 5000})
            for socket in (plain, small):
                event = json.loads(await socket.recv())
                assert event["cursor"] == sent
                assert event["event"]["data"]["caller"] == call * 5000
        for socket in (plain, small):
            await socket.close()
    asyncio.run(asyncio.wait_for(run(), 20))


@pytest.mark.parametrize("code, payload", [
    (1007, b"\xff\xff\xff\xff"),                      # no deflate
    (1007, zlib.compress(b'"\xff"', wbits=-15)[:-1]),  # not UTF-8
    (1009, zlib.compressobj(wbits=-15).compress(b"x" * 10**8)),
])
def test_bad_compressed_messages(daemon, session, code, payload):
    fanout = daemon("ws-fanout")
    socket = RawSocket(fanout.ws_listen).open(Sec_WebSocket_Extensions="permessage-deflate")
    socket.send(frame(1, json.dumps({"type": "auth", "token": session().token}).encode()))
    assert json.loads(socket.frame()[1])["type"] == "welcome"
    socket.send(frame(1, payload, rsv=4))
    assert socket.close_code() == code
    socket.close()
