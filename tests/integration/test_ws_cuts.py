"""ws-fanout: while several write at once, clients are cut again and again and the daemon is killed;
each client counts every event exactly once, in order."""

import json
import random
import threading
import time

import pytest

from lib import events
from lib.client import WebSocket
from lib.process import wait_until

KINDS = {"call": ("call:ringing", {"state": "ringing"}),
         "agent": ("agent:changed", {"extension": "1001", "state": "busy"})}
TOPICS = tuple(KINDS)


class Writers:
    """One for each topic and one more for calls; .sent is what Redis took, by topic."""

    def __init__(self, redis):
        self.redis, self.sent = redis, {topic: [] for topic in TOPICS}
        self._lock, self._stop = threading.Lock(), threading.Event()
        self._threads = [threading.Thread(target=self._write, args=(number, topic))
                         for number, topic in enumerate((*TOPICS, "call"))]
        for each in self._threads:
            each.start()

    def _write(self, number, topic):
        kind, data = KINDS[topic]
        rng = random.Random(number)
        while not self._stop.is_set():
            pipe = self.redis.pipeline(transaction=False)
            for _ in range(rng.randint(1, 15)):
                text = json.dumps(events.envelope(f"c{rng.random()}", "1001", kind=kind, data=data))
                pipe.xadd(f"events:{topic}", {"e": text})
            ids = pipe.execute()
            with self._lock:
                self.sent[topic] += [f"{topic}:{each}" for each in ids]
            time.sleep(rng.random() / 50)

    def stop(self):
        self._stop.set()
        for each in self._threads:
            each.join()
        return {topic: sorted(cursors, key=key) for topic, cursors in self.sent.items()}


def key(cursor):
    return tuple(int(part) for part in cursor.split(":")[1].split("-"))


class Client(threading.Thread):
    """Comes, reads for a while, goes without a word, comes back with its cursors."""

    def __init__(self, fanout, token, since, seed):
        super().__init__()
        self.fanout, self.token, self.rng = fanout, token, random.Random(seed)
        self.at = dict(each.split(":", 1) for each in since)
        self.seen = {topic: [] for topic in TOPICS}
        self.cuts, self.gaps, self.until = 0, 0, None
        self.start()

    def take(self, message):
        self.gaps += message["type"] == "gap"
        if message["type"] == "event":
            topic, at = message["cursor"].split(":", 1)
            self.seen[topic].append(message["cursor"])
            self.at[topic] = at

    def is_done(self):
        return self.until is not None and all(
            self.seen[topic] and self.seen[topic][-1] == last for topic, last in self.until.items())

    def visit(self):
        socket = WebSocket(self.fanout.ws_url)
        since = [f"{topic}:{at}" for topic, at in self.at.items()]
        socket.send({"type": "auth", "token": self.token, "since": since})
        leave_at = time.monotonic() + self.rng.random() / 2
        while not self.is_done() and (self.until or time.monotonic() < leave_at):
            try:
                message = socket.receive(0.2)
            except AssertionError:  # nothing came
                continue
            if message is None:
                break
            self.take(message)
        socket.cut()
        self.cuts += 1

    def run(self):
        deadline = time.monotonic() + 120
        while not self.is_done() and time.monotonic() < deadline:
            try:
                self.visit()
            except Exception:  # the daemon is away
                time.sleep(0.05)


@pytest.mark.parametrize("settings", [{}, {"WS_BACKLOG_KB": 16, "WS_QUEUE_KB": 32}])
def test_every_event_once_over_many_cuts(daemon, redis, session, websocket, settings):
    fanout = daemon("ws-fanout", **settings)
    who = [session("manager", "2000"), session("agent", "1001")]
    start = websocket(fanout, who[0]).welcome["cursors"]
    start = [each for each in start if each.split(":")[0] in TOPICS]
    writers = Writers(redis)
    clients = [Client(fanout, who[number % 2].token, start, number) for number in range(6)]
    try:
        for cuts in (6, 15):
            wait_until(lambda: sum(each.cuts for each in clients) >= cuts, 60)
            fanout.kill9()
            fanout.start()
        wait_until(lambda: min(each.cuts for each in clients) >= 5, 60)
    finally:
        sent = writers.stop()
        for each in clients:
            each.until = {topic: cursors[-1] for topic, cursors in sent.items()}
    for each in clients:
        each.join()
        assert each.seen == sent and each.gaps == 0
