"""Two real Asterisks, one Redis: calls on both at once; one dies, and the other goes on."""

import pytest

from lib import scratch
from lib.daemon import BIN
from lib.net import Net
from lib.process import wait_until
from lib.stack import Stack

READERS = ("call-lifecycle", "transfer-svc", "ws-fanout", "auth-svc")


@pytest.fixture(scope="module")
def west(stack, office):
    """Another Asterisk with phones 1004 and 1005, and all daemons told of it."""
    block = Net()
    other = Stack(block.prefix, scratch.directory("west"), BIN)
    other.environment["MAYDAY_PBX"] = "west"
    try:
        other.phones(1004, 1005)
        stack.configure("ami-gateway", AMI_SECRET_WEST=other.secret("ami-gateway"),
                        AMI_PBXS=f"main={stack.prefix}.1:5038 west={other.prefix}.1:5038")
        redis = stack.redis_client()
        stack.stop("call-lifecycle")
        redis.hdel("agents:main", "1004", "1005")  # known there while there was one PBX
        for part in READERS:
            stack.configure(part, PBX_NAMES="main west")
        wait_until(lambda: redis.hget("pbx:west", "state") == "up")
        wait_until(lambda: redis.hget("agent:1004", "pbx") == "west")
        yield other
    finally:
        for part in ("ami-gateway", *READERS):
            stack.configure(part)
        other.wipe()
        scratch.remove(other.run)
        block.close()


@pytest.fixture
def four(office, west):
    """Two people with phones of each; at the end nobody talks."""
    agents = [*office.agents(1001, 1002), office.agent(1004, west), office.agent(1005, west)]
    office.quiet()
    yield agents
    west.cli("channel request hangup all")
    office.quiet()


def would_go_to(agent):
    return agent.ask("POST", "/originate", {"to": "1001", "dryRun": True}, status=200)["pbx"]


def test_calls_on_both_at_once(office, four):
    ann, bob, cid, dee = four
    here, there = office.talk(ann, bob), office.talk(cid, dee)
    assert ann.call(here)["pbx"] == "main" and cid.call(there)["pbx"] == "west"
    cid.hold(there)
    cid.hears("call:held", there)
    assert ann.state(here) == "established"
    cid.unhold(there)
    cid.hears("call:unheld", there)
    cid.hang_up(there)
    assert cid.sees(there, "ended")["result"] == "answered"
    assert ann.state(here) == "established"
    ann.hang_up(here)
    ann.sees(here, "ended")


def test_a_pause_goes_where_the_phone_is(stack, office, four):
    cid, redis = four[2], stack.redis_client()
    answer = cid.rest.put("/api/ami/agents/1004/pause", {"reason": "lunch"})
    assert answer.status_code == 202, answer.text
    wait_until(lambda: redis.hget("agent:1004", "pauseReason") == "lunch")
    assert redis.hget("agent:1004", "pbx") == "west"
    assert cid.rest.put("/api/ami/agents/1004/unpause", {}).status_code == 202


def test_one_dies_and_the_other_goes_on(stack, office, west, four):
    ann, bob, cid, dee = four
    here, there = office.talk(ann, bob), office.talk(cid, dee)
    west.once("asterisk")
    west.kill9("asterisk")
    redis = stack.redis_client()
    wait_until(lambda: redis.hget("pbx:west", "state") == "down")
    assert ann.state(here) == "established"
    ann.hold(here)
    ann.hears("call:held", here)
    # What belongs to the dead one goes to the one that is up.
    wait_until(lambda: would_go_to(cid) == "main")
    west.up("asterisk")
    wait_until(lambda: redis.hget("pbx:west", "state") == "up", 30)
    ended = cid.hears("call:ended", there, 30)
    assert ended["data"]["reason"] in ("reconciled", "pbx_down")
    ann.unhold(here)
    ann.hears("call:unheld", here)
    wait_until(lambda: would_go_to(cid) == "west")
    ann.hang_up(here)
    ann.sees(here, "ended")
    assert not redis.smembers("calls:live:west") and not redis.smembers("calls:live:main")
