"""call-lifecycle on a real Redis: entries in, calls and events out; killed, cut off and taken over."""

import json
import time

import pytest

from lib import transcripts
from lib.process import wait_until

STREAM = "events:ami:main"
BASE_MS = 1_790_000_000_000


def feed(redis, entries, stream=STREAM):
    pipe = redis.pipeline(transaction=False)
    for entry in entries:
        pipe.xadd(stream, {"e": json.dumps(entry, ensure_ascii=False)})
    pipe.execute()


def settled(redis, stream=STREAM):
    """Everything that was written is applied and committed."""
    pbx = stream.rpartition(":")[2]
    return redis.hget(f"lifecycle:{pbx}", "appliedId") == \
        redis.xinfo_stream(stream)["last-generated-id"]


def wait_settled(redis, timeout=30):
    wait_until(lambda: settled(redis), timeout, "all entries applied")


def events(redis, kind=None):
    found = [json.loads(fields["e"]) for _, fields in redis.xrange("events:call")]
    return [event for event in found if kind in (None, event["eventType"])]


def calls(redis):
    return {key.removeprefix("call:"): redis.hgetall(key) for key in redis.keys("call:*")}


def segments(redis):
    return [segment for call in calls(redis).values() for segment in json.loads(call["segments"])]


def no_ghosts(redis):
    assert redis.smembers("calls:live:main") == set()
    found = calls(redis)
    assert {call["state"] for call in found.values()} <= {"ended"}
    assert all(0 < redis.ttl(f"call:{call}") <= 86400 for call in found)
    ended = [event["callId"] for event in events(redis, "call:ended")]
    assert sorted(ended) == sorted(found)


def several(names):
    """Sessions one after another, and their names."""
    return [entry for number, name in enumerate(names)
            for entry in transcripts.entries(name, BASE_MS + number * 60_000)]


@pytest.mark.parametrize("name", transcripts.NAMES)
def test_recorded_session(redis, daemon, name):
    feed(redis, transcripts.entries(name, BASE_MS))
    one = daemon("call-lifecycle")
    wait_settled(redis)
    assert transcripts.missing(name, segments(redis)) == [], segments(redis)
    no_ghosts(redis)
    assert one.metric('mayday_lifecycle_impossible_total{pbx="main"}') == 0
    assert one.metric('mayday_lifecycle_malformed_total{pbx="main"}') == 0


CALLS = ["a1-originate-answered-caller-hangs", "f2-hold-by-caller-twice", "h1-atxfer-by-callee",
         "k3-queue-local-members", "u1-park-retrieve", "v1-local-optimized",
         "o2-refer-attended-replaces"]


def state_of(redis):
    return calls(redis), [(event["eventType"], event["callId"], event["timestamp"], event["data"])
                          for event in events(redis)]


def while_they_talk(entries):
    """Where the stream can stand still without anything becoming due: a call is on hold."""
    return next(i for i, e in enumerate(entries) if e["Event"] == "Hold") + 1


@pytest.fixture
def expected(redis, daemon):
    """What a run without faults leaves behind."""
    feed(redis, several(CALLS))
    one = daemon("call-lifecycle")
    wait_settled(redis)
    state = state_of(redis)
    one.stop()
    redis.flushall()
    return state


def test_killed_again_and_again(redis, daemon, expected):
    """kill -9 in mid-stream: the same end state, no event twice, none lost."""
    entries = several(CALLS)
    one = daemon("call-lifecycle", LIFECYCLE_BATCH=3, LIFECYCLE_LEASE_TTL_MS=500)
    step = len(entries) // 12 + 1
    for at in range(0, len(entries), step):
        feed(redis, entries[at:at + step])
        time.sleep(0.01)
        one.kill9()
        one.start()
    wait_settled(redis)
    assert state_of(redis) == expected
    no_ghosts(redis)


def test_stand_by_takes_over(redis, daemon, expected):
    entries = several(CALLS)
    first = daemon("call-lifecycle", LIFECYCLE_BATCH=5)
    wait_until(lambda: first.metric('mayday_lifecycle_leader{pbx="main"}') == 1, 10, "leader")
    second = daemon("call-lifecycle", LIFECYCLE_BATCH=5)
    feed(redis, entries[:len(entries) // 2])
    first.kill9()
    feed(redis, entries[len(entries) // 2:])
    began = time.monotonic()
    wait_until(lambda: second.metric('mayday_lifecycle_leader{pbx="main"}') == 1, 10, "take-over")
    assert time.monotonic() - began < 5
    wait_settled(redis)
    assert state_of(redis) == expected
    no_ghosts(redis)


def test_one_that_leaves_hands_over_at_once(redis, daemon):
    first = daemon("call-lifecycle", LIFECYCLE_LEASE_TTL_MS=30000)
    wait_until(lambda: first.metric('mayday_lifecycle_leader{pbx="main"}') == 1, 10, "leader")
    second = daemon("call-lifecycle", LIFECYCLE_LEASE_TTL_MS=30000)
    assert first.stop() == 0
    wait_until(lambda: second.metric('mayday_lifecycle_leader{pbx="main"}') == 1, 15, "hand-over")


def test_sleeper_cannot_commit(redis, daemon, expected):
    """One that was stopped past its lease wakes up while another holds it."""
    entries = several(CALLS)
    first = daemon("call-lifecycle", LIFECYCLE_BATCH=5, LIFECYCLE_LEASE_TTL_MS=600)
    wait_until(lambda: first.metric('mayday_lifecycle_leader{pbx="main"}') == 1, 10, "leader")
    feed(redis, entries[:200])
    first.sigstop()
    second = daemon("call-lifecycle", LIFECYCLE_BATCH=5, LIFECYCLE_LEASE_TTL_MS=600)
    wait_until(lambda: second.metric('mayday_lifecycle_leader{pbx="main"}') == 1, 10, "take-over")
    feed(redis, entries[200:400])
    first.sigcont()
    feed(redis, entries[400:])
    wait_settled(redis)
    assert state_of(redis) == expected
    no_ghosts(redis)


def test_redis_dies_and_comes_back(redis, redis_server, daemon, expected):
    entries = several(CALLS)
    cut = while_they_talk(entries)
    one = daemon("call-lifecycle", LIFECYCLE_BATCH=5, LIFECYCLE_LEASE_TTL_MS=1000)
    feed(redis, entries[:cut])
    wait_settled(redis)
    time.sleep(1.1)  # appendfsync everysec
    redis_server.kill9()
    redis_server.start()
    feed(redis, entries[cut:])
    wait_until(one.ready, 20, "ready again")
    wait_settled(redis)
    assert state_of(redis) == expected
    no_ghosts(redis)


def test_redis_freezes(redis, redis_server, daemon, expected):
    """Commands time out while Redis stands still; what it does with them afterwards is not known."""
    entries = several(CALLS)
    one = daemon("call-lifecycle", LIFECYCLE_BATCH=5, LIFECYCLE_LEASE_TTL_MS=1000,
                 REDIS_COMMAND_TIMEOUT_MS=300)
    cut = while_they_talk(entries)
    feed(redis, entries[:cut])
    redis_server.sigstop()
    time.sleep(2)
    redis_server.sigcont()
    feed(redis, entries[cut:])
    wait_settled(redis)
    assert state_of(redis) == expected
    no_ghosts(redis)
    assert one.alive()


def test_entries_that_are_no_json(redis, daemon):
    one = daemon("call-lifecycle")
    for text in ("", "{", "[]", "null", '{"t":1}', '{"t":1,"Event":"Hangup","Channel":', "\x00",
                 '{"t":1,"n":1,"Event":7}', '{"t":1,"n":1,"Event":"Newchannel"}',
                 '{"Event":"Newchannel","Channel":["a"],"Uniqueid":{},"Linkedid":[]}', "x" * 100000):
        redis.execute_command("XADD", STREAM, "*", "e", text)
    feed(redis, transcripts.entries(CALLS[0], BASE_MS))
    wait_settled(redis)
    no_ghosts(redis)
    assert len(events(redis, "call:ended")) == 1
    redis.xtrim(STREAM, maxlen=0)  # not what the gateway writes: nothing to validate
    wait_until(lambda: one.metric('mayday_lifecycle_malformed_total{pbx="main"}') >= 8, 5, "count")


def entry(t, event, **fields):
    return {"t": BASE_MS + t, "n": t, "Event": event, **fields}


def live_call(redis):
    """The first session, cut off while the two talk."""
    entries = transcripts.entries(CALLS[0], BASE_MS)
    end = next(i for i, e in enumerate(entries) if e["Event"] == "HangupRequest")
    feed(redis, entries[:end])


def test_call_is_gone_after_the_gap(redis, daemon):
    daemon("call-lifecycle")
    live_call(redis)
    feed(redis, [entry(5000, "MaydayDown", reason="reset"),
                 entry(9000, "MaydayUp", version="22", gapFrom=BASE_MS, gapTo=BASE_MS + 9000),
                 entry(9001, "MaydaySnapshotBegin", id="x"),
                 entry(9002, "MaydaySnapshotEnd", id="x", channels=0)])
    wait_settled(redis)
    no_ghosts(redis)
    (ended,) = events(redis, "call:ended")
    assert ended["data"]["reason"] == "reconciled" and ended["data"]["result"] == "reconciled"


def test_events_that_were_trimmed_unseen(redis, daemon):
    """It was away for so long that Redis has them no more: said, and put right by a snapshot."""
    live_call(redis)
    first = daemon("call-lifecycle")
    wait_settled(redis)
    first.kill9()
    feed(redis, [entry(5000, "Newstate")])
    redis.xtrim(STREAM, maxlen=0, approximate=False)
    second = daemon("call-lifecycle")
    wait_until(lambda: "trimmed before they were applied" in second.log, 10, "what is said of it")
    assert "trimmed before they were applied" not in first.log
    feed(redis, [entry(9001, "MaydaySnapshotBegin", id="x"),
                 entry(9002, "MaydaySnapshotEnd", id="x", channels=0)])
    wait_settled(redis)
    no_ghosts(redis)
    assert redis.hget("lifecycle:main", "stale") == "0"


def many_calls(count):
    """So many pairs that talk: the first session with other names and numbers."""
    whole = [json.dumps(entry) for entry in transcripts.entries(CALLS[0], BASE_MS)]
    cut = next(i for i, text in enumerate(whole) if '"HangupRequest"' in text)
    for number in range(count):
        for text in whole[:cut]:
            for old, new in (("1795400619.0", f"1{number:05}.0"), ("1795400620.1", f"1{number:05}.1"),
                             ("1001", f"{10000 + 2 * number}"), ("1002", f"{10001 + 2 * number}"),
                             ("204698c2", f"{number:08}"), ("-00000000", f"-{2 * number:08x}"),
                             ("-00000001", f"-{2 * number + 1:08x}")):
                text = text.replace(old, new)
            yield json.loads(text)


def test_killed_while_thousands_of_calls_end(redis, daemon):
    """Too many for one transaction: what was told before the kill is not told again."""
    one = daemon("call-lifecycle", LIFECYCLE_LEASE_TTL_MS=500)
    feed(redis, many_calls(2000))
    wait_settled(redis, 120)
    assert redis.scard("calls:live:main") == 2000
    feed(redis, [entry(9001, "MaydaySnapshotBegin", id="x"),
                 entry(9002, "MaydaySnapshotEnd", id="x", channels=0)])
    wait_until(lambda: redis.scard("calls:live:main") < 2000, 60, "begun")
    one.kill9()
    left = redis.scard("calls:live:main")
    one.start()
    wait_settled(redis, 120)
    no_ghosts(redis)
    assert len(events(redis, "call:ended")) == 2000
    assert left > 0, "it was done before it was killed: nothing was tried"


def test_thousands_of_calls_come_back(redis, daemon):
    one = daemon("call-lifecycle", LIFECYCLE_LEASE_TTL_MS=500)
    feed(redis, many_calls(1000))
    wait_settled(redis, 120)
    before = calls(redis)
    one.kill9()
    one.start()
    wait_until(lambda: one.metric('mayday_lifecycle_live_calls{pbx="main"}') == 1000, 60, "loaded")
    assert one.metric('mayday_lifecycle_load_ms{pbx="main"}') < 5000
    feed(redis, [entry(9000, "Nothing")])
    wait_settled(redis, 120)
    assert calls(redis) == before


def test_pbx_that_stays_away(redis, daemon):
    daemon("call-lifecycle", LIFECYCLE_PBX_DOWN_S=1)
    live_call(redis)
    feed(redis, [entry(5000, "MaydayDown", reason="reset")])
    wait_settled(redis)
    wait_until(lambda: not redis.smembers("calls:live:main"), 10, "call ended")
    no_ghosts(redis)
    (ended,) = events(redis, "call:ended")
    assert ended["data"]["reason"] == "pbx_down"


def test_originate_that_asterisk_never_hears_of(redis, daemon):
    daemon("call-lifecycle")
    feed(redis, [entry(0, "MaydayOriginate", callId="c-1", actionId="a-1", fields=[],
                       data={"from": "1001", "to": "1002", "requestedBy": "u-1",
                             "timeoutMs": -14000})])
    wait_settled(redis)
    assert redis.hget("call:c-1", "state") == "originating"
    wait_until(lambda: redis.hget("call:c-1", "state") == "ended", 10, "deadline")
    no_ghosts(redis)


def test_originate_that_asterisk_refuses(redis, daemon):
    daemon("call-lifecycle")
    feed(redis, [entry(0, "MaydayOriginate", callId="c-1", actionId="a-1", fields=[],
                       data={"from": "1001", "to": "1002", "requestedBy": "u-1"}),
                 entry(5, "MaydayOriginateFailed", callId="c-1", actionId="a-1", outcome="error",
                       message="Extension does not exist.")])
    wait_settled(redis)
    no_ghosts(redis)
    (ended,) = events(redis, "call:ended")
    assert ended["data"]["result"] == "failed"
    assert ended["data"]["causeText"] == "Extension does not exist."


def requested(t, call_id, **data):
    return entry(t, "MaydayOriginate", callId=call_id, actionId=f"a-{call_id}", fields=[],
                 data={"from": "1001", "to": "1002", "requestedBy": "u-1", **data})


def failed(t, call_id, outcome):
    return entry(t, "MaydayOriginateFailed", callId=call_id, actionId=f"a-{call_id}",
                 outcome=outcome, message="")


def test_originate_that_was_perhaps_not_sent_is_not_waited_for_long(redis, daemon):
    daemon("call-lifecycle")
    feed(redis, [requested(0, "c-1"), failed(5, "c-1", "outcome_unknown"),
                 entry(4000, "DeviceStateChange", Device="PJSIP/1001", State="INUSE")])
    wait_settled(redis)
    assert redis.hget("call:c-1", "state") == "originating"
    wait_until(lambda: redis.hget("call:c-1", "state") == "ended", 10, "it is given up")
    no_ghosts(redis)


def test_originate_is_not_given_up_while_nobody_sees(redis, daemon):
    """The list that comes afterwards has its channel."""
    daemon("call-lifecycle")
    feed(redis, [requested(0, "c-1", timeoutMs=1000), failed(5, "c-1", "outcome_unknown"),
                 entry(6, "MaydayDown", reason="reset"), entry(30000, "MaydayUp", version="22"),
                 entry(30001, "MaydaySnapshotBegin", id="s-1"),
                 entry(30002, "CoreShowChannel", Channel="PJSIP/1001-00000001", Uniqueid="c-1",
                       Linkedid="c-1", ChannelState="5", ChannelStateDesc="Ringing", Exten="1002",
                       CallerIDNum="1001", ConnectedLineNum="1002", Duration="00:00:29"),
                 entry(30003, "MaydaySnapshotEnd", id="s-1", channels=1)])
    wait_settled(redis)
    assert redis.hget("call:c-1", "state") in ("originating", "dialing", "ringing")
    assert redis.smembers("calls:live:main") == {"c-1"} and events(redis, "call:ended") == []


def test_originate_that_is_told_again_after_its_end(redis, daemon):
    """By a gateway that took it over from one that died before it had answered."""
    daemon("call-lifecycle")
    feed(redis, [requested(0, "c-1"), failed(5, "c-1", "expired"), requested(10, "c-1"),
                 failed(11, "c-1", "outcome_unknown")])
    wait_settled(redis)
    assert len(events(redis, "call:ended")) == len(events(redis, "call:originating")) == 1
    assert redis.hget("call:c-1", "state") == "ended"
    no_ghosts(redis)


def test_entries_that_come_late_keep_their_times(redis, daemon):
    """Redis or the gateway was held up, and a deadline fired meanwhile."""
    daemon("call-lifecycle")
    entries = transcripts.entries(CALLS[0], BASE_MS)
    bridged = next(i for i, e in enumerate(entries) if e["Event"] == "BridgeEnter")
    due_ms = entries[bridged]["t"] - BASE_MS + 500
    feed(redis, [requested(0, "c-1", timeoutMs=due_ms - 15000), *entries[:bridged]])
    wait_until(lambda: redis.hget("call:c-1", "state") == "ended", 10, "a deadline fired")
    feed(redis, entries[bridged:])
    wait_settled(redis)
    (established,) = events(redis, "call:established")
    assert established["timestamp"] < BASE_MS + due_ms
    assert established["timestamp"] in [e["t"] for e in entries]


def test_two_pbxs(redis, daemon):
    daemon("call-lifecycle", PBX_NAMES="east west")
    for number, pbx in enumerate(("east", "west")):
        feed(redis, transcripts.entries(CALLS[number], BASE_MS), f"events:ami:{pbx}")
    for pbx in ("east", "west"):
        wait_until(lambda: settled(redis, f"events:ami:{pbx}"), 20, pbx)
    assert {call["pbx"] for call in calls(redis).values()} == {"east", "west"}
