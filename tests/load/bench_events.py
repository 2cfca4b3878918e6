"""Events per second: the gateway alone, and gateway and lifecycle together, on recorded sessions."""

import time

from rig import Rig

PLAY = ("--fast", "--loop", 40, "--settle-ms", 500, "--uncut")
SNAPSHOT = 3  # entries that are there before the first event
STREAM = "events:ami:main"


def _wait_for_end(rig, replay, done):
    """(entries, seconds) from the first event until the replay is over and done() is true."""
    while rig.stream(STREAM)[0] <= SNAPSHOT:
        time.sleep(0.005)
    began = time.monotonic()
    settled = None
    while True:
        added, last = rig.stream(STREAM)
        if replay.poll() is not None and done(last):
            if settled == last:
                return added, ended - began
            settled, ended = last, time.monotonic()
        else:
            settled = None
        time.sleep(0.02)


def _without_rewrites(rig):
    """The append-only file is written, but not rewritten: that comes with its doubling, seldom
    on a server that has run for days, but several times in each run here."""
    rig.redis.client.config_set("auto-aof-rewrite-percentage", 0)


def gateway():
    """Every recorded event, none filtered, from a socket to a Redis stream."""
    with Rig() as rig:
        _without_rewrites(rig)
        replay = rig.replay(*PLAY)
        rig.daemon("ami-gateway", until=None, AMI_EVENT_EXCLUDE="none", AMI_BUFFER_MB="1024")
        added, seconds = _wait_for_end(rig, replay, lambda last: True)
        return added / seconds


def pipeline():
    """What the gateway lets through by default, until call-lifecycle has committed all of it."""
    with Rig() as rig:
        _without_rewrites(rig)
        replay = rig.replay(*PLAY)
        rig.daemon("call-lifecycle", until=None)
        rig.daemon("ami-gateway", until=None, AMI_BUFFER_MB="1024")

        def applied(last):
            return rig.redis.client.hget("lifecycle:main", "appliedId") == last
        added, seconds = _wait_for_end(rig, replay, applied)
        return added / seconds


BENCHES = [
    ("gateway: AMI socket to Redis stream", gateway, "events/s", 120_000, "at least"),
    ("gateway + lifecycle: applied and committed", pipeline, "events/s", 40_000, "at least"),
]
