"""5,000 calls alive at once: what they cost, and how soon a restart has them again."""

import json
import time

from rig import Rig, resident_mb

CALLS = 5000
STREAM = "events:ami:main"


def _channel(event, call, side, **more):
    number = 1000 + 2 * call + side
    return {"t": int(time.time() * 1000), "n": 1, "Event": event,
            "Channel": f"PJSIP/{number}-{call:08x}", "ChannelState": "6",
            "CallerIDNum": str(number), "CallerIDName": f"Agent {number}",
            "Context": "from-internal", "Exten": str(number + 1),
            "Uniqueid": f"main-{call}.{side}", "Linkedid": f"main-{call}.0", **more}


def _dial(event, call, **more):
    callee = _channel(event, call, 1)
    return {**_channel(event, call, 0), "DestChannel": callee["Channel"],
            "DestUniqueid": callee["Uniqueid"], "DestLinkedid": callee["Linkedid"],
            "DestChannelState": "5", **more}


def _talk(call):
    """What Asterisk says of one that rings and is answered."""
    bridge = f"bridge-{call}"
    return [_channel("Newchannel", call, 0, ChannelState="4"),
            _channel("Newchannel", call, 1, ChannelState="0", Exten="s"),
            _dial("DialBegin", call), _dial("DialState", call, DialStatus="RINGING"),
            _dial("DialEnd", call, DialStatus="ANSWER"),
            _channel("BridgeEnter", call, 1, BridgeUniqueid=bridge, BridgeType="basic"),
            _channel("BridgeEnter", call, 0, BridgeUniqueid=bridge, BridgeType="basic")]


def _list():
    """What the gateway writes when it is connected again."""
    now = int(time.time() * 1000)
    yield {"t": now, "n": 1, "Event": "MaydayUp", "version": "22"}
    yield {"t": now, "n": 1, "Event": "MaydaySnapshotBegin", "id": "s"}
    for call in range(CALLS):
        for side in range(2):
            yield _channel("CoreShowChannel", call, side, BridgeId=f"bridge-{call}",
                           Duration="00:01:00")
    yield {"t": now, "n": 1, "Event": "MaydaySnapshotEnd", "id": "s", "channels": 2 * CALLS}


def _write(rig, entries):
    pipe = rig.redis.client.pipeline(transaction=False)
    for number, entry in enumerate(entries):
        pipe.xadd(STREAM, {"e": json.dumps(entry)})
        if number % 1000 == 999:
            pipe.execute()
    pipe.execute()


def _wait_applied(rig):
    newest = rig.stream(STREAM)[1]
    while rig.redis.client.hget("lifecycle:main", "appliedId") != newest:
        time.sleep(0.005)


def _with_calls(rig):
    lifecycle = rig.daemon("call-lifecycle", until="alive")
    _write(rig, (entry for call in range(CALLS) for entry in _talk(call)))
    _wait_applied(rig)
    assert rig.redis.client.scard("calls:live:main") == CALLS
    return lifecycle


def memory():
    """When they have just begun, and when a new process has loaded them: the greater of the two."""
    with Rig() as rig:
        lifecycle = _with_calls(rig)
        before = resident_mb(lifecycle.pid)
        lifecycle.stop()
        _write(rig, _list())
        lifecycle.start("alive")
        _wait_applied(rig)
        return max(before, resident_mb(lifecycle.pid))


def restart():
    """From the start of the process until its list of calls is Asterisk's."""
    with Rig() as rig:
        lifecycle = _with_calls(rig)
        lifecycle.stop()
        _write(rig, _list())
        began = time.monotonic()
        lifecycle.start("alive")
        _wait_applied(rig)
        seconds = time.monotonic() - began
        assert rig.redis.client.scard("calls:live:main") == CALLS
        assert rig.redis.client.hget("lifecycle:main", "stale") == "0"
        return seconds


BENCHES = [
    ("lifecycle, 5,000 calls alive: resident", memory, "MB", 60, "at most"),
    ("lifecycle, 5,000 calls: restarted, reconciled", restart, "s", 2, "at most"),
]
