"""transfer-svc alone with Redis and MariaDB; the test plays call-lifecycle, gateway and dialplan."""

import collections
import concurrent.futures
import json
import time

import pytest
import requests

from lib.client import assert_error
from lib.fake_dialplan import FakeDialplan
from lib.process import wait_until
from lib.transfers import BASE

NO_DATABASE = {"DB_HOST": "127.255.255.254", "DB_USER": "user", "DB_PASSWORD": "password",
               "DB_NAME": "mayday"}
QUICK = {"TRANSFER_GRACE_MS": 100, "TRANSFER_BACK_S": 1}
AGENT, CUSTOMER, TARGET = ("PJSIP/1001-00000001-c1", "PJSIP/1002-00000002-c1",
                           "PJSIP/1003-00000003")


@pytest.fixture
def pbx(redis):
    return FakeDialplan(redis)


@pytest.fixture
def service(daemon, pbx):
    def make(**settings):
        return daemon("transfer-svc", **{**NO_DATABASE, "TRANSFER_LEASE_TTL_MS": 600, **settings})
    assert pbx
    return make


@pytest.fixture
def agent(rest, service, session):
    return rest(service(), session("agent", "1001"))


@pytest.fixture
def quick(rest, service, session):
    """Of a service with quick deadlines."""
    return rest(service(**QUICK), session("agent", "1001"))


def begin(rest, kind="blind", call_id="c1", **fields):
    fields = fields or {"target": "1003"}
    answer = rest.post(f"{BASE}/{kind}", {"callId": call_id, **fields})
    assert answer.status_code == 202, answer.text
    return answer.json()["transferId"]


def state(redis, transfer_id):
    return redis.hget(f"transfer:{transfer_id}", "state")


def becomes(redis, transfer_id, wanted, timeout=15):
    try:
        wait_until(lambda: state(redis, transfer_id) == wanted, timeout)
    except AssertionError:
        now = redis.hgetall(f"transfer:{transfer_id}")
        raise AssertionError(f"it did not become {wanted}: {now}") from None
    return redis.hgetall(f"transfer:{transfer_id}")


def told(redis, transfer_id):
    events = [json.loads(fields["e"]) for _, fields in redis.xrange("events:transfer")]
    return [event["eventType"] for event in events if event["data"]["transferId"] == transfer_id]


# --- what is asked of Asterisk

@pytest.mark.parametrize("kind, fields, sent", [
    ("blind", {"target": "1003"}, [(CUSTOMER, "b.1003.1001.25")]),
    ("blind", {"target": "1003", "timeoutS": 7, "fallBack": False}, [(CUSTOMER, "b.1003.-.7")]),
    ("blind", {"target": "602", "context": "services"}, [(CUSTOMER, "d.services.602.1001")]),
    ("external", {"target": "+74951234567"}, [(CUSTOMER, "e.+74951234567.1001.25.1001")]),
    ("queue", {"queue": "support"}, [(CUSTOMER, "q.support.1001.300...")]),
    ("queue", {"queue": "support", "timeoutS": 9, "priority": 3, "position": 1,
               "announcement": "vip"}, [(CUSTOMER, "q.support.1001.9.3.1.vip")]),
    ("managed", {"target": "1003"}, [(CUSTOMER, "c.1001.625"), (AGENT, "a.1003.1001.25")]),
    ("managed", {"target": "74951234567", "external": True},
     [(CUSTOMER, "c.1001.625"), (AGENT, "i.74951234567.1001.25.1001")]),
])
def test_where_the_parties_are_sent(redis, pbx, service, rest, session, kind, fields, sent):
    agent = rest(service(TRANSFER_EXTERNAL_CALLER_ID="agent"), session("agent", "1001"))
    pbx.call()
    transfer_id = begin(agent, kind, **fields)
    assert pbx.extens() == sent
    (action,) = pbx.actions()
    assert action["id"] == f"{transfer_id}.1" and action["replyTo"] == "replies:transfer-svc"
    assert action["callId"] == "c1" and action["requestId"]
    shown = agent.get(f"{BASE}/{transfer_id}/state").json()
    assert (shown["from"], shown["customer"], shown["callId"]) == ("1001", "1002", "c1")
    listed = agent.get(f"{BASE}/enhanced-status?state=live").json()
    assert [each["transferId"] for each in listed["transfers"]] == [transfer_id]


def test_commands_of_a_consultation(redis, pbx, agent):
    """Each command, and what the dialplan says to it, from the state where it is allowed."""
    sent = {"complete": [(AGENT, "hangup")], "cancel": [(TARGET, "hangup")],
            "toggle": [(TARGET, "p.600"), (AGENT, "s")],
            "conference": [(AGENT, "m"), (TARGET, "m"), (CUSTOMER, "m")]}
    end = {"complete": "joined", "cancel": "returned", "toggle": "returned",
           "conference": "conference"}
    for command, extens in sent.items():
        pbx.call()
        transfer_id = begin(agent, "managed", target="1003", timeoutS=60)
        for step in ("waiting", "consulting", "target", "answered"):
            pbx.step(transfer_id, step)
        becomes(redis, transfer_id, "answered")
        before = len(pbx.extens())
        method = {"cancel": ("DELETE", ""), "complete": ("POST", "/complete")}
        verb, path = method.get(command, ("POST", f"/{transfer_id}/{command}"))
        path = f"/{transfer_id}" if command == "cancel" else path
        body = {"transferId": transfer_id} if command == "complete" else None
        assert agent.call(verb, BASE + path, body).status_code == 202
        assert pbx.extens()[before:] == extens
        if command == "toggle":
            pbx.step(transfer_id, "speaks", With="customer")
            wait_until(lambda now=transfer_id: redis.hget(f"transfer:{now}", "withCustomer") == "1")
        pbx.step(transfer_id, end[command])
        wait_until(lambda now=transfer_id: not redis.zscore("transfers:deadlines", now))
        assert_error(agent.delete(f"{BASE}/{transfer_id}"), 410, "transfer_over")


# How a transfer comes into each state, and which commands it follows there.
STATES = [
    ("blind", [], "requested", ""),
    ("blind", ["trying"], "dialing", "cancel"),
    ("blind", ["trying", "ringing"], "ringing", "cancel"),
    ("blind", ["trying", "returning"], "rolling_back", ""),
    ("blind", ["trying", "cancel"], "cancelling", ""),
    ("queue", ["queued"], "queued", "cancel"),
    ("managed", [], "requested", ""),
    ("managed", ["waiting"], "consulting", "complete cancel"),
    ("managed", ["consulting", "ringing"], "ringing", "complete cancel"),
    ("managed", ["consulting", "answered"], "answered", "complete cancel toggle conference"),
    ("managed", ["consulting", "answered", "complete"], "completing", ""),
    ("managed", ["consulting", "answered", "cancel"], "cancelling", ""),
    ("managed", ["consulting", "alone"], "rolling_back", ""),
    ("managed", ["consulting", "joined"], "completed", None),
]


def ask(rest, transfer_id, command):
    if command == "complete":
        return rest.post(f"{BASE}/complete", {"transferId": transfer_id})
    if command == "cancel":
        return rest.delete(f"{BASE}/{transfer_id}")
    return rest.post(f"{BASE}/{transfer_id}/{command}")


def test_every_command_in_every_state(redis, pbx, agent):
    """202 where the table has it, else 409 with the state, and 410 at the end; nothing is sent then."""
    number = 0
    for kind, steps, wanted, allowed in STATES:
        for command in ("complete", "cancel", "toggle", "conference"):
            number += 1
            call_id = pbx.call(f"c{number}")
            target = {"queue": "support"} if kind == "queue" else {"target": "1003"}
            transfer_id = begin(agent, kind, call_id, **target)
            for step in steps:
                if step in ("cancel", "complete"):
                    wait_until(lambda now=(transfer_id, step): ask(agent, *now).status_code == 202)
                elif step == "ringing":
                    pbx.rings(call_id, "1003")
                else:
                    pbx.step(transfer_id, step, Why="BUSY")
            becomes(redis, transfer_id, wanted)
            sent = len(pbx.actions(call_id))
            answer = ask(agent, transfer_id, command)
            where = f"{kind} {wanted} {command}"
            if allowed is None:
                assert_error(answer, 410, "transfer_over")
            elif command in allowed.split():
                assert answer.status_code == 202, where
                assert len(pbx.actions(call_id)) > sent, where
            else:
                assert_error(answer, 409, "not_possible_now")
                assert answer.json()["error"]["details"]["state"] == wanted, where
                assert len(pbx.actions(call_id)) == sent, where


def test_handed_over_while_it_rings(redis, pbx, agent):
    pbx.call()
    transfer_id = begin(agent, "managed", target="1003", timeoutS=60)
    pbx.step(transfer_id, "consulting")
    becomes(redis, transfer_id, "consulting")
    assert agent.post(f"{BASE}/complete", {"transferId": transfer_id}).status_code == 202
    assert pbx.extens()[-2:] == [(CUSTOMER, "b.1003.1001.60"), (AGENT, "y")]


# --- what Asterisk answers

@pytest.mark.parametrize("outcome, reason", [
    ("error", "refused_by_pbx"), ("invalid", "refused_by_pbx"), ("expired", "pbx_unavailable"),
    ("unavailable", "pbx_unavailable")])
def test_refused(redis, pbx, agent, outcome, reason):
    pbx.call()
    transfer_id = begin(agent)
    pbx.reply(pbx.actions()[0], outcome)
    assert becomes(redis, transfer_id, "failed")["reason"] == reason
    assert told(redis, transfer_id) == ["transfer:requested", "transfer:failed"]
    assert begin(agent) != transfer_id  # the call is free for another one


def test_nobody_knows_whether_it_was_sent(redis, pbx, agent):
    pbx.call()
    transfer_id = begin(agent)
    pbx.reply(pbx.actions()[0], "outcome_unknown")
    pbx.step(transfer_id, "trying")
    becomes(redis, transfer_id, "dialing")
    pbx.step(transfer_id, "joined")
    becomes(redis, transfer_id, "completed")


def test_asterisk_says_nothing(redis, pbx, service, rest, session):
    agent = rest(service(TRANSFER_REQUESTED_MS=1000), session("agent", "1001"))
    pbx.call()
    transfer_id = begin(agent)
    assert becomes(redis, transfer_id, "failed")["reason"] == "pbx_silent"
    assert len(pbx.actions()) == 1


# --- time

def test_back_to_the_agent_then_to_the_queue_then_nothing_is_left(redis, pbx, quick):
    """The dialplan does not do its part: each deadline acts."""
    pbx.call()
    transfer_id = begin(quick, target="1003", timeoutS=1)
    pbx.together("c1", apart=["1002"])
    pbx.step(transfer_id, "trying")
    assert becomes(redis, transfer_id, "failed")["reason"] == "no_answer"
    assert pbx.extens() == [(CUSTOMER, "b.1003.1001.1"), (CUSTOMER, "v.1001"), (CUSTOMER, "f")]


def test_a_deadline_fires_once(redis, pbx, service, rest, session):
    """Three instances see the same deadlines."""
    agents = [rest(service(**QUICK), session("agent", "1001")) for _ in range(3)]
    calls = [pbx.call(f"c{number}") for number in range(30)]
    ids = [begin(agents[i % 3], call_id=call_id, target="1003", timeoutS=1)
           for i, call_id in enumerate(calls)]
    for call_id, transfer_id in zip(calls, ids):
        pbx.step(transfer_id, "trying")
        pbx.together(call_id, apart=["1002"])
    for transfer_id in ids:
        becomes(redis, transfer_id, "failed")
    for call_id, transfer_id in zip(calls, ids):
        assert [exten.split(".")[0] for _, exten in pbx.extens(call_id)] == ["b", "v", "f"]
        assert len(told(redis, transfer_id)) == 5  # requested, dialing, rolling, falling, failed


@pytest.mark.parametrize("together, wanted", [
    (["1002", "1003"], "completed"), (["1001", "1002"], "rolled_back"), ([], "abandoned")])
def test_the_call_says_what_was_not_heard(redis, pbx, quick, together, wanted):
    pbx.call()
    transfer_id = begin(quick, target="1003", timeoutS=1)
    pbx.together("c1", *together)
    pbx.step(transfer_id, "trying")
    becomes(redis, transfer_id, wanted)
    assert len(pbx.actions()) == 1


def test_a_list_of_channels_tells_that_the_target_answered(redis, pbx, agent):
    pbx.call()
    transfer_id = begin(agent, "managed", target="1003", timeoutS=60)
    pbx.step(transfer_id, "consulting")
    becomes(redis, transfer_id, "consulting")
    pbx.together("c1", "1001", "1003", apart=["1002"])
    redis.xadd("events:ami:main", {"e": json.dumps(
        {"t": 1, "n": 1, "Event": "MaydaySnapshotEnd", "id": "s1", "channels": 3})})
    becomes(redis, transfer_id, "answered")


def test_a_list_of_channels_settles_it_at_once(redis, pbx, service, rest, session):
    """The connection to Asterisk was away; deadlines are far."""
    agent = rest(service(), session("agent", "1001"))
    pbx.call()
    transfer_id = begin(agent)
    pbx.step(transfer_id, "trying")
    becomes(redis, transfer_id, "dialing")
    pbx.together("c1", "1002", "1003")
    redis.xadd("events:ami:main", {"e": json.dumps(
        {"t": 1, "n": 1, "Event": "MaydaySnapshotEnd", "id": "s1", "channels": 2})})
    becomes(redis, transfer_id, "completed")


def test_a_call_that_is_behind_says_nothing(redis, pbx, agent):
    """call-lifecycle has not come as far as the transfer: to it the customer is with the agent yet."""
    pbx.call()
    transfer_id = begin(agent)
    pbx.step(transfer_id, "trying")
    becomes(redis, transfer_id, "dialing")
    redis.hset("lifecycle:main", "appliedId", "1-1")

    def listed():
        redis.xadd("events:ami:main", {"e": json.dumps(
            {"t": 1, "n": 1, "Event": "MaydaySnapshotEnd", "id": "s1", "channels": 2})})
    listed()
    pbx.rings("c1", "1003")
    becomes(redis, transfer_id, "ringing")
    time.sleep(2.5)  # it looks two seconds after the list
    assert state(redis, transfer_id) == "ringing"
    redis.hset("lifecycle:main", "appliedId", redis.xinfo_stream("events:ami:main")["last-generated-id"])
    listed()
    becomes(redis, transfer_id, "rolled_back")


def test_what_was_told_while_nobody_read_comes_first(redis, pbx, service, rest, session):
    """Completed, and the call over, and the deadline past, before it is started again."""
    one = service(**QUICK)
    pbx.call()
    transfer_id = begin(rest(one, session("agent", "1001")), target="1003", timeoutS=1)
    pbx.step(transfer_id, "trying")
    becomes(redis, transfer_id, "dialing")
    one.kill9()
    pbx.step(transfer_id, "joined")
    pbx.together("c1")
    redis.hset("call:c1", "state", "ended")
    due = int(redis.hget(f"transfer:{transfer_id}", "deadlineAt"))
    wait_until(lambda: int(time.time() * 1000) > due)
    one.start()
    becomes(redis, transfer_id, "completed")


def test_time_stands_still_while_asterisk_is_away(redis, pbx, quick):
    pbx.call()
    transfer_id = begin(quick, target="1003", timeoutS=1)
    pbx.together("c1", apart=["1002"])
    pbx.pbx("down")
    pbx.step(transfer_id, "trying")
    becomes(redis, transfer_id, "dialing")
    due = int(redis.hget(f"transfer:{transfer_id}", "deadlineAt"))
    wait_until(lambda: int(redis.hget(f"transfer:{transfer_id}", "deadlineAt")) > due)
    assert state(redis, transfer_id) == "dialing" and len(pbx.actions()) == 1
    assert_error(quick.post(f"{BASE}/blind", {"callId": pbx.call("c2"), "target": "1003"}), 503,
                 "pbx_unavailable")
    pbx.pbx("up")
    pbx.step(transfer_id, "joined")
    becomes(redis, transfer_id, "completed")


# --- killed

@pytest.mark.parametrize("successor", ["second", "restart"])
def test_killed_with_five_hundred_under_way(redis, pbx, service, session, successor):
    """All come to the right end: by a second instance, or when it is started again."""
    first = service()
    if successor == "second":
        assert service()
    calls = [pbx.call(f"c{number}") for number in range(500)]
    headers = session("agent", "1001").headers
    http = requests.Session()

    def ask(call_id):
        answer = http.post(f"{first.url}{BASE}/blind", json={"callId": call_id, "target": "1003"},
                           headers=headers, timeout=10)
        return answer.json()["transferId"]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        ids = list(pool.map(ask, calls))
    ends = ["joined", "returned", "fallback", "gone"]
    pipe = redis.pipeline(transaction=False)
    for number, transfer_id in enumerate(ids):
        pbx.step(transfer_id, "trying", pipe)
        if number == 250:
            pipe.execute()
            first.kill9()
        pbx.step(transfer_id, ends[number % 4], pipe, Role="customer")
    pipe.execute()
    if successor == "restart":
        assert service()
    wait_until(lambda: redis.zcard("transfers:deadlines") == 0, 30, "all are over")
    over = collections.Counter(state(redis, transfer_id) for transfer_id in ids)
    assert over == {"completed": 125, "rolled_back": 250, "abandoned": 125}
    assert len(pbx.actions()) == 500
    ended = collections.Counter(json.loads(fields["e"])["data"]["transferId"]
                                for _, fields in redis.xrange("events:transfer")
                                if "endedAt" in json.loads(fields["e"])["data"])
    assert set(ended) == set(ids)


def test_redis_away(redis, redis_server, pbx, service, rest, session):
    agent = rest(service(), session("agent", "1001"))
    pbx.call()
    transfer_id = begin(agent, target="1003", timeoutS=60)
    redis_server.kill9()
    assert_error(agent.get(f"{BASE}/{transfer_id}/state"), 503, "unavailable")
    redis_server.start()
    wait_until(lambda: agent.get(f"{BASE}/{transfer_id}/state").status_code == 200)
    pbx.step(transfer_id, "joined")
    becomes(redis, transfer_id, "completed")


# --- what is heard twice, late, or is not ours

def test_steps_that_come_again_change_nothing(redis, pbx, service, rest, session):
    one = service()
    agent = rest(one, session("agent", "1001"))
    pbx.call()
    transfer_id = begin(agent, "managed", target="1003", timeoutS=60)
    for step in ("consulting", "target", "answered"):
        pbx.step(transfer_id, step)
    becomes(redis, transfer_id, "answered")
    agent.post(f"{BASE}/{transfer_id}/toggle")
    pbx.step(transfer_id, "speaks", With="customer")
    wait_until(lambda: redis.hget(f"transfer:{transfer_id}", "withCustomer") == "1")
    before = redis.hgetall(f"transfer:{transfer_id}")
    one.kill9()
    redis.hset("transfers:follow", "events:ami:main", "0-0")  # as if nothing had been stored
    assert service()
    pbx.call("c2")
    pbx.step("t1-nobody", "joined")
    pbx.step(transfer_id, "a step of tomorrow")
    redis.xadd("events:ami:main", {"e": json.dumps(
        {"t": 1, "n": 1, "Event": "UserEvent", "UserEvent": "MaydayTransfer",
         "Id": ["a", "b"], "Step": {"x": 1}})})
    pbx.step(transfer_id, "joined")
    after = becomes(redis, transfer_id, "completed")
    assert after["withCustomer"] == "1" and before["version"] < after["version"]
    assert told(redis, transfer_id).count("transfer:answered") == 1


# --- who may ask for what

def test_bad_requests(redis, pbx, agent):
    pbx.call()
    wrong = [("blind", {}), ("blind", {"callId": "c1"}), ("blind", {"target": "1003"}),
             ("blind", {"callId": "c1", "target": "10.03"}),
             ("blind", {"callId": "c1", "target": "1003", "timeoutS": 0}),
             ("blind", {"callId": "c1", "target": "1003", "timeoutS": "5"}),
             ("blind", {"callId": "c1", "target": "1003", "fallBack": 1}),
             ("blind", {"callId": "c1", "target": "1003", "more": 1}),
             ("blind", {"callId": "c1\r\n", "target": "1003"}),
             ("external", {"callId": "c1", "target": "12"}),
             ("external", {"callId": "c1", "target": "abc"}),
             ("queue", {"callId": "c1", "queue": "a,b"}),
             ("queue", {"callId": "c1", "queue": "a", "priority": 101}),
             ("managed", {"callId": "c1", "target": "PJSIP/1003"}),
             ("complete", {"transferId": 5})]
    for kind, body in wrong:
        assert_error(agent.post(f"{BASE}/{kind}", body), 400, "invalid_field")
    for number in ("1001", "1002"):
        assert_error(agent.post(f"{BASE}/blind", {"callId": "c1", "target": number}), 409,
                     "already_there")
    assert_error(agent.post(f"{BASE}/complete", {"transferId": "t1"}), 404, "transfer_not_found")
    for path in ("enhanced-status?state=none", "enhanced-status?cursor=x", "history?from=x",
                 "history?kind=none", "history?result=ringing"):
        assert agent.get(f"{BASE}/{path}").status_code == 400, path
    assert_error(agent.get(f"{BASE}/enhanced-status?extension=1002"), 403, "not_your_transfers")
    assert pbx.actions() == []


def test_what_the_settings_allow(pbx, service, rest, session):
    one = service(TRANSFER_EXTERNAL_ALLOW="7495 +7495", TRANSFER_CONTEXTS="services")
    agent = rest(one, session("agent", "1001"))
    pbx.call()
    assert_error(agent.post(f"{BASE}/external", {"callId": "c1", "target": "8800100"}), 403,
                 "number_not_allowed")
    assert_error(agent.post(f"{BASE}/managed", {"callId": "c1", "target": "8800100",
                                                "external": True}), 403, "number_not_allowed")
    assert_error(agent.post(f"{BASE}/blind", {"callId": "c1", "target": "1",
                                              "context": "from-trunk"}), 403,
                 "context_not_allowed")
    begin(agent, "external", target="74951234567")


def test_the_same_request_again(pbx, agent):
    pbx.call()
    body = {"callId": "c1", "target": "1003"}
    first, again = (agent.post(f"{BASE}/blind", body, headers={"Idempotency-Key": "k1"})
                    for _ in range(2))
    assert first.status_code == again.status_code == 202
    assert first.json() == again.json() and len(pbx.actions()) == 1
    assert_error(agent.post(f"{BASE}/blind", body), 409, "transfer_under_way")


def test_a_manager_sees_and_ends_all(redis, pbx, service, rest, session):
    one = service()
    manager, other = rest(one, session("manager", "1009")), rest(one, session("agent", "1004"))
    calls = [pbx.call(f"c{number}") for number in range(7)]
    ids = [begin(manager, call_id=call_id) for call_id in calls]
    pages, cursor = [], ""
    while cursor is not None:
        page = manager.get(f"{BASE}/enhanced-status?limit=3{cursor}").json()
        pages.append([each["transferId"] for each in page["transfers"]])
        cursor = page["nextCursor"] and f"&cursor={page['nextCursor']}"
    assert sorted(sum(pages, [])) == sorted(ids) and len(pages[0]) == 3
    one_call = manager.get(f"{BASE}/enhanced-status?callId=c3").json()["transfers"]
    assert [each["callId"] for each in one_call] == ["c3"]
    assert_error(other.get(f"{BASE}/{ids[0]}/state"), 403, "not_your_transfer")
    assert other.get(f"{BASE}/enhanced-status").json()["transfers"] == []
    pbx.step(ids[0], "trying")
    becomes(redis, ids[0], "dialing")
    assert manager.delete(f"{BASE}/{ids[0]}").json()["state"] == "cancelling"
    kept = [json.loads(fields["a"]) for _, fields in redis.xrange("audit")]
    assert [each["action"] for each in kept] == ["transfer:begun"] * 7 + ["transfer:cancelled"]
    assert kept[-1]["subject"] == f"transfer:{ids[0]}"


# --- the history

def test_mariadb_comes_later(redis, pbx, database, service, rest, session):
    database.stop(10)
    one = service(**database.settings)
    manager = rest(one, session("manager", "1001"))
    ids = []
    for number, end in enumerate(["joined", "joined", "returned", "gone"]):
        ids.append(begin(manager, call_id=pbx.call(f"c{number}")))
        pbx.step(ids[-1], "trying")
        pbx.step(ids[-1], end, Role="customer")
    wait_until(lambda: redis.scard("transfers:unsaved") == 4)
    counted = {name: one.metric(f"mayday_transfer_{name}_total")
               for name in ("begun", "completed", "rolled_back", "abandoned", "deadlines")}
    assert list(counted.values()) == [4, 2, 1, 1, 0], counted
    assert_error(manager.get(f"{BASE}/history"), 503, "unavailable")
    database.start()
    wait_until(lambda: redis.scard("transfers:unsaved") == 0, 30, "all are rows")
    assert 0 < redis.ttl(f"transfer:{ids[0]}") <= 86400
    page = manager.get(f"{BASE}/history?limit=3").json()
    rest_of = manager.get(f"{BASE}/history?limit=3&cursor={page['nextCursor']}").json()
    rows = page["transfers"] + rest_of["transfers"]
    assert sorted(row["transferId"] for row in rows) == sorted(ids)
    assert rest_of["nextCursor"] is None
    done = manager.get(f"{BASE}/history?result=completed&kind=blind&target=1003").json()
    assert {row["transferId"] for row in done["transfers"]} == set(ids[:2])
    sums = manager.get(f"{BASE}/analytics?by=agent").json()
    assert sums["groups"][0]["key"] == "1001"
    assert sums["all"] | {"averageAnswerMs": 0} == {
        "total": 4, "completed": 2, "failed": 0, "cancelled": 0, "rolledBack": 1, "abandoned": 1,
        "answered": 2, "successPercent": 50, "averageAnswerMs": 0}
    assert manager.get(f"{BASE}/analytics?by=day&to=5").json()["groups"] == []
    for asked, number in (("callId=c1", 1), ("customer=1002", 4), ("customer=1", 0),
                          ("reason=customer_hung_up", 1), ("callId=c1'--", 0)):
        found = manager.get(f"{BASE}/history?{asked}").json()["transfers"]
        assert len(found) == number, asked
    hours = manager.get(f"{BASE}/analytics?by=hour").json()["groups"]
    assert sum(each["total"] for each in hours) == 4
    assert all(int(each["key"]) % 3_600_000 == 0 for each in hours)
    later = int(time.time() * 1000) + 60_000
    assert manager.get(f"{BASE}/history?from={later}").json()["transfers"] == []
