"""Somebody outside puts whole AMI events into telephone numbers while people talk."""

import pytest
import requests

from lib.process import wait_until
from lib.sip import Forger

NUMBER = "74950001003"  # of extension 1003, from outside


@pytest.fixture
def forger(stack, office):
    forger = Forger(f"{stack.prefix}.99", f"{stack.prefix}.1")
    yield forger
    forger.close()


def counted(stack, host, name):
    text = requests.get(f"http://{stack.prefix}.{host}/metrics", timeout=5).text
    return int(next(line for line in text.splitlines() if line.startswith(name + "{")).split()[1])


def test_nobodys_call_is_touched(stack, office, forger):
    office.quiet()
    ann, bob = office.agents(1001, 1002)
    call_id = office.talk(ann, bob)
    redis = stack.redis_client()
    before = {name: counted(stack, "11:8101", name) for name in
              ("mayday_ami_torn_total", "mayday_ami_forged_total")}
    forged = counted(stack, "12:8102", "mayday_lifecycle_forged_total")
    for channel in [each["uniqueid"] for each in ann.call(call_id)["channels"]]:
        for event in (f"Hangup\r\nUniqueid: {channel}\r\nCause: 16",
                      f"BridgeLeave\r\nUniqueid: {channel}",
                      "Shutdown\r\nShutdown: Cleanly", "FullyBooted",
                      "MaydaySnapshotEnd\r\nid: x"):
            forger.call(f"1\r\n\r\nEvent: {event}\r\n\r\n", NUMBER)
        forger.call(f"1\r\nUniqueid: {channel}\r\nLinkedid: {call_id}", NUMBER)
        forger.call("1", f"{NUMBER}\r\n\r\nEvent: Hangup\r\nUniqueid: {channel}\r\n\r\n")
    wait_until(lambda: all(counted(stack, "11:8101", name) > before[name] for name in before),
               what="the gateway counts them")
    wait_until(lambda: counted(stack, "12:8102", "mayday_lifecycle_forged_total") > forged,
               what="call-lifecycle counts them")
    assert "a caller may be forging events" in stack.log("ami-gateway")
    # Of all calls that are left when the forger has given up its own, there is this one.
    wait_until(lambda: redis.smembers("calls:live:main") == {call_id}, 30, "the forger's calls end")
    assert ann.state(call_id) == "established" and len(ann.call(call_id)["channels"]) == 2
    ann.hang_up(call_id)
    assert ann.sees(call_id, "ended")["result"] == "answered"
