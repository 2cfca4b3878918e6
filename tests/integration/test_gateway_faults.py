"""ami-gateway when things die: no event twice, none lost that could be seen, gaps declared."""

import threading
import time

from lib.fake_ami import event
from lib.process import wait_until
from integration.test_gateway import entries, named, wait_for
from integration.test_gateway_actions import Asker


class Flow:
    """Numbered events at a steady rate; .sent is what went out while somebody listened,
    .by_listener the same by connection."""

    def __init__(self, ami, per_second=500):
        self.ami, self.sent, self.by_listener, self._next = ami, [], {}, 0
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(per_second,), daemon=True)
        self._thread.start()

    def _run(self, per_second):
        started = time.monotonic()
        while not self._stopped.wait(0.01):
            due = int((time.monotonic() - started) * per_second)
            numbers = range(self._next, due)
            listener = self.ami.listener
            if listener and any(r["Action"] == "QueueStatus" for r in listener.requests):
                listener.send(b"".join(event("Newexten2", Number=n) for n in numbers))
                self.sent.extend(numbers)
                self.by_listener.setdefault(id(listener), []).extend(numbers)
            self._next = max(due, self._next)

    def stop(self):
        self._stopped.set()
        self._thread.join(10)
        return self.sent


def numbers(redis):
    return [int(entry["Number"]) for entry in named(redis, "Newexten2")]


def assert_none_twice(redis):
    got = numbers(redis)
    assert got == sorted(set(got)), "events came twice or out of order"
    return got


def assert_all(redis, sent):
    wait_until(lambda: len(numbers(redis)) >= len(sent), 20, "all events")
    got = assert_none_twice(redis)
    assert got == sent


def test_redis_stopped_for_ten_seconds(gateway, ami, redis, redis_server):
    gateway()
    wait_for(redis, "MaydaySnapshotEnd")
    flow = Flow(ami)
    time.sleep(1)
    redis_server.sigstop()
    time.sleep(10)
    redis_server.sigcont()
    time.sleep(2)
    assert_all(redis, flow.stop())
    assert len(named(redis, "MaydayUp")) == 1 and not named(redis, "MaydayGap")
    assert redis.get("fence:gateway:main") == "2"


def test_redis_killed_and_restarted_from_its_file(gateway, ami, redis, redis_server):
    gateway()
    wait_for(redis, "MaydaySnapshotEnd")
    flow = Flow(ami, 2000)
    for _ in range(2):
        time.sleep(1)
        redis_server.kill9()
        time.sleep(4)
        redis_server.start()
        time.sleep(3)
    assert_all(redis, flow.stop())
    assert len(named(redis, "MaydayUp")) == 1 and not named(redis, "MaydayGap")


def test_redis_killed_for_a_moment_within_the_lease(gateway, ami, redis, redis_server):
    gateway()
    wait_for(redis, "MaydaySnapshotEnd")
    flow = Flow(ami, 2000)
    time.sleep(0.5)
    redis_server.kill9()
    redis_server.start()
    time.sleep(3)
    assert_all(redis, flow.stop())
    assert len(named(redis, "MaydayUp")) == 1


def test_a_killed_gateway_comes_back_with_a_gap(gateway, ami, redis):
    first = gateway()
    wait_for(redis, "MaydaySnapshotEnd")
    flow = Flow(ami)
    time.sleep(1)
    first.kill9()
    before = len(assert_none_twice(redis))
    gateway()
    wait_for(redis, "MaydaySnapshotEnd", 2)
    time.sleep(1)
    sent = flow.stop()
    wait_until(lambda: numbers(redis)[-1] == sent[-1])
    got = assert_none_twice(redis)
    assert set(got) <= set(sent) and len(got) > before
    up = named(redis, "MaydayUp")[1]
    assert up["gapFrom"] <= up["gapTo"]
    to_first, to_second = flow.by_listener.values()
    seen = [n for n in got if n < to_second[0]]
    assert seen == to_first[:len(seen)], "a hole in what the killed one had written"
    assert got[len(seen):] == to_second, "lost outside the gap"


def test_a_standby_takes_over_in_five_seconds(gateway, ami, redis, daemon):
    first = gateway()
    wait_for(redis, "MaydaySnapshotEnd")
    second = gateway()
    flow = Flow(ami)
    time.sleep(1)
    assert len([c for c in ami.connections if c.events]) == 1
    killed = time.monotonic()
    first.kill9()
    wait_for(redis, "MaydaySnapshotEnd", 2, 8)
    assert time.monotonic() - killed < 5
    time.sleep(1)
    sent = flow.stop()
    wait_until(lambda: numbers(redis)[-1] == sent[-1])
    assert_none_twice(redis)
    up = named(redis, "MaydayUp")[1]
    assert 0 < up["gapTo"] - up["gapFrom"] < 6000
    assert redis.get("fence:gateway:main") == "2"
    assert second.ready()


def test_an_orderly_leave_hands_over_at_once(gateway, ami, redis):
    first = gateway()
    wait_for(redis, "MaydaySnapshotEnd")
    gateway()
    wait_until(lambda: "Redis connection up" in first.log)
    time.sleep(1)
    first.stop()
    left = time.monotonic()
    wait_for(redis, "MaydaySnapshotEnd", 2, 8)
    assert time.monotonic() - left < 2.5


def test_a_frozen_owner_writes_nothing_after_it_thaws(gateway, ami, redis):
    first = gateway()
    wait_for(redis, "MaydaySnapshotEnd")
    second = gateway()
    time.sleep(1)
    old = ami.listener
    first.sigstop()
    wait_until(lambda: redis.get("lease:gateway:main") not in (None, "") and
               redis.get("fence:gateway:main") == "2", 10, "the take-over")
    ami.connections[0].events, old.events = False, False
    wait_for(redis, "MaydaySnapshotEnd", 2)
    old.send(b"".join(event("Newexten2", Number=n) for n in range(100)))
    first.sigcont()
    wait_until(lambda: "stands by" in first.log)
    wait_until(lambda: old.closed.is_set())
    time.sleep(1)
    assert not named(redis, "Newexten2")
    assert first.running() and second.ready()
    ami.emit(event("Newstate"))
    wait_for(redis, "Newstate")
    assert len(named(redis, "Newstate")) == 1


def test_redis_away_too_long_is_a_gap_and_a_snapshot(gateway, ami, redis, redis_server):
    daemon = gateway(AMI_BUFFER_MB=1)
    wait_for(redis, "MaydaySnapshotEnd")
    redis_server.kill9()
    time.sleep(0.3)
    count = 20000  # about 3 MB of entries
    for start in range(0, count, 100):
        ami.emit(b"".join(event("Newexten2", Number=n, Filler="x" * 50)
                          for n in range(start, start + 100)))
    time.sleep(1)
    redis_server.start()
    gap = wait_for(redis, "MaydayGap")[0]
    wait_for(redis, "MaydaySnapshotEnd", 2)
    got = assert_none_twice(redis)
    assert got[-1] == count - 1
    assert gap["dropped"] == count - len(got) > 0
    assert gap["from"] <= gap["to"]
    names = [e["Event"] for e in entries(redis)]
    assert names.index("MaydayGap") < len(names) - 1 - names[::-1].index("MaydaySnapshotEnd")
    wait_until(lambda: daemon.metric('mayday_ami_dropped_total{pbx="main"}') == gap["dropped"])
    assert redis.exists("events:ami")


def test_redis_away_at_the_start(gateway, ami, redis, redis_server):
    redis_server.kill9()
    daemon = gateway("alive")
    time.sleep(1)
    assert not daemon.ready()
    assert not ami.connections, "nobody knows who owns it, so nobody connects"
    redis_server.start()
    wait_until(daemon.ready, 20)
    wait_for(redis, "MaydaySnapshotEnd")


def test_a_slow_redis_does_not_stop_the_reading(gateway, ami, redis, redis_server):
    """Asterisk cuts a reader that is slow for 100 ms: everything is read though nothing moves."""
    gateway()
    listener = ami.wait_listener()
    wait_for(redis, "MaydaySnapshotEnd")
    redis_server.sigstop()
    listener.socket.settimeout(3)
    chunk = b"".join(event("Newexten2", Number=n, Filler="x" * 300) for n in range(1000))
    for _ in range(40):  # 15 MB: far more than the sockets hold
        listener.send(chunk)
    redis_server.sigcont()
    wait_until(lambda: len(numbers(redis)) == 40000, 60)
    assert len(named(redis, "MaydayUp")) == 1


def forget_from_now_on(redis):
    """What Redis takes from now on is lost when it dies, as by a fail-over to a late replica."""
    redis.config_set("appendonly", "no")


def test_redis_that_lost_what_it_had_taken(gateway, ami, redis, redis_server):
    gateway()
    wait_for(redis, "MaydaySnapshotEnd")
    ami.emit(event("Newstate"))
    wait_for(redis, "Newstate")
    forget_from_now_on(redis)
    ami.emit(event("Hangup"))
    wait_for(redis, "Hangup")
    redis_server.kill9()
    ami.emit(event("Newchannel"))
    redis_server.start()
    gap = wait_for(redis, "MaydayGap")[0]
    assert gap["dropped"] == 0 and gap["from"] <= gap["to"]
    wait_for(redis, "MaydaySnapshotEnd", 2)
    assert not named(redis, "Hangup") and len(named(redis, "Newchannel")) == 1
    assert len(named(redis, "MaydayUp")) == 1


def test_an_action_that_redis_delivers_again(gateway, ami, redis, redis_server):
    """The request is in Redis' file; that it was taken and answered is not."""
    daemon = gateway(AMI_LEASE_MS=30000)
    asker = Asker(redis)
    assert asker.ask("Ping")["outcome"] == "success"
    daemon.sigstop()
    action = asker.post("Hangup", [("Channel", "x")], deadline_ms=60000)
    forget_from_now_on(redis)
    daemon.sigcont()
    assert asker.wait(action)["outcome"] == "success"
    redis_server.kill9()
    redis_server.start()
    assert asker.wait(action)["outcome"] == "outcome_unknown"
    assert len(ami.asked("Hangup")) == 1
