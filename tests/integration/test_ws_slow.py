"""ws-fanout with many clients, and with some that do not read."""

import asyncio
import json
import pathlib
import threading

import pytest
import websockets

from lib import events
from lib.process import wait_until
from lib.raw_websocket import RawSocket, frame

PADDING = {"state": "ringing", "caller": "x" * 500}


def resident_kb(process):
    status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0])


def is_sanitized(process):
    """AddressSanitizer keeps freed memory aside: what is resident says nothing."""
    return "libasan" in pathlib.Path(f"/proc/{process.pid}/maps").read_text()


def stalled(fanout, token):
    """A client that is known and then reads nothing."""
    socket = RawSocket(fanout.ws_listen, receive_buffer=4096).open()
    socket.send(frame(1, json.dumps({"type": "auth", "token": token}).encode()))
    assert json.loads(socket.frame()[1])["type"] == "welcome"
    return socket


def write(redis, count, calls, first=0, data=None):
    """Events about that many calls, in turns."""
    pipe = redis.pipeline(transaction=False)
    for number in range(first, first + count):
        text = json.dumps(events.envelope(f"c{number % calls}", "1001", data=data or PADDING))
        pipe.xadd("events:call", {"e": text})
    return [f"call:{entry}" for entry in pipe.execute()]


def read_to(socket, last):
    seen = []
    while not seen or seen[-1] != last:
        seen.append(socket.wait_for("event")["cursor"])
    return seen


def test_a_stalled_reader_is_coalesced_and_slows_nobody(daemon, redis, session, websocket):
    fanout = daemon("ws-fanout", WS_QUEUE_KB=64)
    manager = session("manager", "2000")
    slow, fast = stalled(fanout, manager.token), websocket(fanout, manager)
    for first in range(0, 3000, 100):
        sent = write(redis, 100, calls=5, first=first)
        assert read_to(fast, sent[-1]) == sent
    assert fanout.metric("mayday_ws_coalesced_total") > 0
    assert fanout.metric("mayday_ws_resyncs_total") == 0
    latest = {}
    slow.socket.settimeout(10)
    while len(latest) < 5 or max(latest.values(), key=key) != sent[-1]:
        message = json.loads(slow.frame()[1])
        assert key(message["cursor"]) > max(map(key, latest.values()), default=(0, 0))
        latest[message["event"]["callId"]] = message["cursor"]
    assert sorted(latest.values(), key=key) == sent[-5:]
    slow.close()


def key(cursor):
    return tuple(int(part) for part in cursor.split(":")[1].split("-"))


def test_a_reader_that_cannot_catch_up_is_told_to_resync(daemon, redis, session, websocket):
    fanout = daemon("ws-fanout", WS_QUEUE_KB=64)
    manager = session("manager", "2000")
    slow, fast = stalled(fanout, manager.token), websocket(fanout, manager)
    sent = []
    for first in range(0, 3000, 100):
        sent += write(redis, 100, calls=10**6, first=first)
        read_to(fast, sent[-1])
    wait_until(lambda: fanout.metric("mayday_ws_resyncs_total") == 1)
    seen = []
    while True:
        opcode, payload = slow.frame()
        if opcode == 8:
            break
        seen.append(json.loads(payload)["cursor"])
    assert int.from_bytes(payload[:2], "big") == 4408
    assert seen == sent[:len(seen)]
    again = websocket(fanout, manager, since=[seen[-1]])
    assert seen + read_to(again, sent[-1]) == sent
    slow.close()


def test_memory_is_bounded_with_stalled_clients(daemon, redis, session, websocket):
    fanout = daemon("ws-fanout", WS_QUEUE_KB=256)
    manager = session("manager", "2000")
    fast = websocket(fanout, manager)
    sockets = [stalled(fanout, manager.token) for _ in range(200)]
    before = resident_kb(fanout)
    for first in range(0, 16000, 40):  # 64 MB, were they kept
        sent = write(redis, 40, 10**6, first, {"state": "ringing", "caller": "x" * 4000})
        read_to(fast, sent[-1])
        redis.xtrim("events:call", maxlen=1000)
    assert is_sanitized(fanout) or resident_kb(fanout) - before < 24 * 1024
    wait_until(lambda: fanout.metric("mayday_ws_resyncs_total") == 200)
    for socket in sockets:
        socket.close()
    wait_until(lambda: fanout.metric("mayday_ws_connections") == 1)


class Crowd:
    """Many clients on one asyncio loop; each counts its events."""

    def __init__(self, url, token, count):
        self.url, self.token, self.count = url, token, count
        self.seen = [0] * count
        self.loop = asyncio.new_event_loop()
        threading.Thread(target=self.loop.run_forever, daemon=True).start()
        self.run(self._open())

    def run(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(120)

    async def _one(self, number):
        socket = await websockets.connect(self.url, compression=None, ping_interval=None,
                                          open_timeout=60)
        await socket.send(json.dumps({"type": "auth", "token": self.token}))
        assert json.loads(await socket.recv())["type"] == "welcome"
        self.loop.create_task(self._read(socket, number))
        return socket

    async def _read(self, socket, number):
        async for _ in socket:
            self.seen[number] += 1

    async def _open(self):
        self.sockets = []
        for first in range(0, self.count, 100):
            self.sockets += await asyncio.gather(
                *(self._one(number) for number in range(first, first + 100)))

    def close(self):
        async def every():
            await asyncio.gather(*(socket.close() for socket in self.sockets))
        self.run(every())


@pytest.mark.parametrize("agents", [1000])
def test_a_broadcast_to_a_thousand(daemon, redis, session, agents):
    fanout = daemon("ws-fanout")
    crowd = Crowd(fanout.ws_url, session("manager", "2000").token, agents)
    assert fanout.metric("mayday_ws_connections") == agents
    write(redis, 20, calls=10**6)
    wait_until(lambda: min(crowd.seen) == 20, 60)
    assert set(crowd.seen) == {20}
    crowd.close()
    wait_until(lambda: fanout.metric("mayday_ws_connections") == 0)
