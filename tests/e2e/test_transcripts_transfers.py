"""Every recorded session in which somebody is sent on, byte for byte, through replay, gateway,
lifecycle and transfer-svc: what phones did by themselves stands in the history as they saw it."""

import json
import time

import pytest

from lib import transcripts
from lib.daemon import BIN
from lib.process import Process, wait_until

NAMES = [name for name in transcripts.NAMES if name[0] in "ghijou"]
STREAM = "events:ami:main"
NO_DATABASE = {"DB_HOST": "127.255.255.254", "DB_USER": "user", "DB_PASSWORD": "password",
               "DB_NAME": "mayday"}


@pytest.fixture
def play(net, tmp_path, daemon):
    """play(name) -> a replay of this session, at the speed at which it happened, with its gateway."""
    made = []

    def make(*names):
        host = net.address()
        files = [transcripts.DATA / f"{name}.ami" for name in names]
        replay = Process("ami-replay", [
            BIN / "ami-replay", "play", "--listen", f"{host}:5038", "--stay", "--settle-ms", "2000",
            "--base-ms", int(time.time() * 1000) + 3_000, "--timestamps", "--speed", "8", *files],
            tmp_path / "replay")
        replay.spawn()
        made.append(replay)
        wait_until(lambda: "listening" in replay.log)
        daemon("ami-gateway", until="alive", AMI_HOST=host, AMI_USERNAME="replay", AMI_SECRET="any")
        return replay

    yield make
    for replay in made:
        replay.stop()


def wait_played(redis, replay):
    wait_until(lambda: "played" in replay.log, 120, "all sessions played")
    last = {name: redis.xinfo_stream(name)["last-generated-id"] for name in (STREAM, "events:call")}
    wait_until(lambda: redis.hget("lifecycle:main", "appliedId") == last[STREAM], 60, "applied")
    last["events:call"] = redis.xinfo_stream("events:call")["last-generated-id"]
    wait_until(lambda: redis.hmget("transfers:follow", list(last)) == list(last.values()), 60,
               "heard")


def found(redis):
    return [redis.hgetall(key) for key in redis.keys("transfer:p*")]


def check(redis):
    transfers = found(redis)
    for name in NAMES:
        data = b"".join((transcripts.DATA / each["file"]).read_bytes()
                        for each in transcripts.truth(name)["connections"])
        seen = [tuple(each[field] for field in ("kind", "from", "customer", "to", "state", "reason"))
                for each in transfers if each["callId"].encode() in data]
        assert sorted(seen) == sorted(transcripts.wanted_transfers(name)), name
    assert len(transfers) == sum(len(list(transcripts.wanted_transfers(name))) for name in NAMES) > 8
    assert redis.zcard("transfers:deadlines") == 0
    for each in transfers:
        times = [int(each[name]) for name in ("requestedAt", "ringingAt", "answeredAt", "endedAt")]
        assert [at for at in times if at] == sorted(at for at in times if at), each


def test_phones_own_transfers_are_in_the_history(redis, daemon, play):
    daemon("call-lifecycle")
    daemon("transfer-svc", **NO_DATABASE)
    wait_played(redis, play(*NAMES))
    check(redis)
    told = {}
    for _, fields in redis.xrange("events:transfer"):
        event = json.loads(fields["e"])
        told.setdefault(event["data"]["transferId"], []).append(event["eventType"].partition(":")[2])
    for transfer in found(redis):
        words = told[transfer["transferId"]]
        assert (words[0], words[-1]) == ("requested", transfer["state"]) and "changed" not in words[-1:]
        assert words.count(transfer["state"]) == 1


def test_killed_again_and_again(redis, daemon, play):
    """Each is begun once and ended once, whenever transfer-svc died."""
    daemon("call-lifecycle")
    service = daemon("transfer-svc", TRANSFER_LEASE_TTL_MS=500, **NO_DATABASE)
    replay = play(*NAMES)
    while "played" not in replay.log:
        wait_until(lambda: service.metric("mayday_transfer_reading") == 1, 10, "it reads")
        service.kill9()
        service.start()
    wait_played(redis, replay)
    check(redis)
