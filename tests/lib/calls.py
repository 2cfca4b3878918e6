"""Calls in Redis, and a gateway that the test plays itself: fixtures for tests of call-lifecycle."""

import json
import threading
import time

import pytest
import redis as redis_client

from lib import transcripts
from lib.process import wait_until

STREAM = "events:ami:main"
SESSION = "f1-hold-by-callee"


class Gateway:
    """Takes what stands on actions:main and answers with what .answer(action) gives: an outcome and a
    message, or None for no answer."""

    def __init__(self, client):
        self.redis, self.actions = client, []
        self.answer = lambda action: ("success", "ok")
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        last = "0-0"
        while not self._stop.is_set():
            try:
                for _, entries in self.redis.xread({"actions:main": last}, 50, 50):
                    for last, fields in entries:
                        self._take(json.loads(fields["a"]))
            except redis_client.ConnectionError:
                time.sleep(0.05)

    def _take(self, action):
        self.actions.append(action)
        answer = self.answer(action)
        if answer and "replyTo" in action:
            reply = {"v": 1, "id": action["id"], "outcome": answer[0], "message": answer[1],
                     "fields": {}}
            self.redis.xadd(action["replyTo"], {"r": json.dumps(reply)})

    def fields(self, number=-1):
        return dict(self.actions[number]["fields"])

    def stop(self):
        self._stop.set()
        self._thread.join(5)


@pytest.fixture
def gateway(redis, redis_server):
    gateway = Gateway(redis_client.Redis(redis_server.host, redis_server.port,
                                         password=redis.connection_pool.connection_kwargs["password"],
                                         decode_responses=True))
    yield gateway
    gateway.stop()


@pytest.fixture
def lifecycle(daemon, gateway):
    one = daemon("call-lifecycle", LIFECYCLE_VARIABLES="CAMPAIGN ORDER",
                 LIFECYCLE_COMMAND_TIMEOUT_MS=1000)
    wait_until(lambda: one.metric('mayday_lifecycle_leader{pbx="main"}') == 1, 10, "leader")
    return one


@pytest.fixture
def agent(rest, lifecycle, session):
    return rest(lifecycle, session("agent", "1001"))


@pytest.fixture
def manager(rest, lifecycle, session):
    return rest(lifecycle, session("manager", "1009"))


def feed(redis, entries):
    for entry in entries:
        redis.xadd(STREAM, {"e": json.dumps(entry, ensure_ascii=False)})
    newest = redis.xinfo_stream(STREAM)["last-generated-id"]
    wait_until(lambda: redis.hget("lifecycle:main", "appliedId") == newest, 10, "applied")


def events_of(name=SESSION, base_ms=None):
    return transcripts.entries(name, base_ms or int(time.time() * 1000) - 60_000)


@pytest.fixture
def call(redis, lifecycle):
    """1001 talks with 1002; its id."""
    entries = events_of()
    end = next(i for i, e in enumerate(entries) if e["Event"] == "Hold")
    feed(redis, entries[:end])
    (live,) = redis.smembers("calls:live:main")
    return live


def channels(redis, call):
    return {leg["extension"]: leg["channel"]
            for leg in json.loads(redis.hget(f"call:{call}", "channels"))}


def hold(redis, call):
    """What Asterisk says when both are sent to mayday-hold."""
    legs = json.loads(redis.hget(f"call:{call}", "channels"))
    now = int(time.time() * 1000)
    entries = []
    for leg in legs:
        same = {"t": now, "n": 1, "Channel": leg["channel"], "ChannelState": "6",
                "Context": "mayday-hold", "Exten": "agent" if leg["extension"] == "1001" else
                "customer", "Uniqueid": leg["uniqueid"], "Linkedid": call}
        entries += [{**same, "Event": "BridgeLeave", "BridgeUniqueid": leg["bridge"]},
                    {**same, "Event": "UserEvent", "UserEvent": "MaydayHold",
                     "Role": same["Exten"]}]
    feed(redis, entries)
