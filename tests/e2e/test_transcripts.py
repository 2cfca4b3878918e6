"""Every recorded AMI session, byte for byte, through replay, gateway and lifecycle, held against
what the phones saw."""

import json
import time

import pytest

from lib import transcripts
from lib.daemon import BIN
from lib.process import Process, wait_until

FILES = [transcripts.DATA / f"{name}.ami" for name in transcripts.NAMES]
STREAM = "events:ami:main"


@pytest.fixture
def play(net, tmp_path, daemon, redis):
    """play(options) -> plays all sessions to a gateway; the lifecycle is started by the test."""
    made = []

    def make(*options):
        # The replay's lists are empty: it must not begin while a busy gateway still asks for them,
        # and its times must not lie before the gateway's own entries.
        base_ms = int(time.time() * 1000) + 20_000
        host = net.address()
        replay = Process("ami-replay", [BIN / "ami-replay", "play", "--listen", f"{host}:5038",
                                        "--stay", "--settle-ms", "3000", "--base-ms", base_ms, *options,
                                        *FILES], tmp_path / "replay")
        replay.spawn()
        made.append(replay)
        wait_until(lambda: "listening" in replay.log)
        daemon("ami-gateway", until="alive", AMI_HOST=host, AMI_USERNAME="replay",
               AMI_SECRET="any")
        return replay

    yield make
    for replay in made:
        replay.stop()


def wait_played(redis, replay, timeout=120):
    wait_until(lambda: "played" in replay.log, timeout, "all sessions played")
    wait_until(lambda: redis.hget("lifecycle:main", "appliedId") ==
               redis.xinfo_stream(STREAM)["last-generated-id"], 60, "all entries applied")


def calls(redis):
    return {key.removeprefix("call:"): redis.hgetall(key) for key in redis.keys("call:*")}


def check(redis):
    found = calls(redis)
    assert redis.smembers("calls:live:main") == set()
    assert {call["state"] for call in found.values()} == {"ended"}
    events = [json.loads(fields["e"]) for _, fields in redis.xrange("events:call")]
    ended = [event["callId"] for event in events if event["eventType"] == "call:ended"]
    assert sorted(ended) == sorted(found)
    lost = {}
    for name in transcripts.NAMES:
        data = b"".join((transcripts.DATA / connection["file"]).read_bytes()
                        for connection in transcripts.truth(name)["connections"])
        segments = [segment for call, fields in found.items() if call.encode() in data
                    for segment in json.loads(fields["segments"])]
        if missing := transcripts.missing(name, segments):
            lost[name] = missing, segments
    assert lost == {}


@pytest.mark.parametrize("options", [
    ("--fast",),
    ("--fast", "--cut-every", "7", "--seed", "1"),
    ("--fast", "--cut-every", "100", "--seed", "2"),
    ("--speed", "20", "--cut-every", "60", "--seed", "3"),
], ids=" ".join)
def test_all_sessions(redis, daemon, play, options):
    lifecycle = daemon("call-lifecycle")
    replay = play("--timestamps", *options)
    wait_played(redis, replay)
    check(redis)
    for name in ("impossible", "malformed", "overflow", "invariant_faults"):
        assert lifecycle.metric(f'mayday_lifecycle_{name}_total{{pbx="main"}}') == 0, name
    assert lifecycle.metric('mayday_lifecycle_forged_total{pbx="main"}') > 0


def test_lifecycle_killed_again_and_again(redis, daemon, play):
    lifecycle = daemon("call-lifecycle", LIFECYCLE_LEASE_TTL_MS=500)
    replay = play("--timestamps", "--speed", "60")
    while "played" not in replay.log:
        wait_until(lambda: lifecycle.metric('mayday_lifecycle_leader{pbx="main"}') == 1, 10,
                   "leader")
        lifecycle.kill9()
        lifecycle.start()
    wait_played(redis, replay)
    check(redis)
