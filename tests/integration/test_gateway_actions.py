"""Actions through ami-gateway: every outcome, each sent at most once and never late."""

import json
import threading
import time
import uuid

import pytest

from lib.fake_ami import answer, event, listing
from lib.process import wait_until
from integration.test_gateway import entries, named, wait_for

ACTIONS = "actions:main"


class Asker:
    """One service instance that asks for actions and reads its replies."""

    def __init__(self, redis):
        self.redis, self.stream = redis, f"replies:test-{uuid.uuid4().hex[:8]}"

    def post(self, action, fields=(), deadline_ms=5000, **more):
        request = {"v": 1, "id": f"id-{uuid.uuid4().hex[:12]}", "action": action,
                   "fields": [list(field) for field in fields],
                   "deadlineAt": int(time.time() * 1000) + deadline_ms, "replyTo": self.stream,
                   **more}
        self.redis.xadd(ACTIONS, {"a": json.dumps(request)})
        return request["id"]

    def replies(self, action_id):
        every = [json.loads(fields["r"]) for _, fields in self.redis.xrange(self.stream)]
        return [reply for reply in every if reply["id"] == action_id]

    def wait(self, action_id, timeout=10):
        return wait_until(lambda: self.replies(action_id), timeout, "a reply")[0]

    def ask(self, *args, **more):
        return self.wait(self.post(*args, **more))

    def pending(self):
        return self.redis.xpending(ACTIONS, "ami-gateway")["pending"]


@pytest.fixture
def asker(redis):
    return Asker(redis)


def test_success_with_fields(gateway, ami, asker, redis):
    gateway()
    ami.handlers["Getvar"] = lambda c, r: answer(r, Variable=r["Variable"], Value="é")
    reply = asker.ask("Getvar", [("Channel", "PJSIP/1001-1"), ("Variable", "CRMID")])
    assert reply["outcome"] == "success"
    assert reply["fields"] == {"Variable": "CRMID", "Value": "é"}
    sent = ami.asked("Getvar")[0]
    assert sent["Channel"] == "PJSIP/1001-1" and sent["ActionID"] == reply["id"]
    wait_until(lambda: asker.pending() == 0)
    assert 0 < redis.ttl(asker.stream) <= 3600


def test_error_in_asterisks_words(gateway, ami, asker):
    gateway()
    ami.handlers["Hangup"] = lambda c, r: answer(r, "Error", Message="No such channel")
    reply = asker.ask("Hangup", [("Channel", "PJSIP/1001-dead")])
    assert (reply["outcome"], reply["message"]) == ("error", "No such channel")


def test_a_list_comes_whole(gateway, ami, asker):
    gateway()
    items = [("StatusItem", {"Channel": f"PJSIP/{n}", "Privilege": "Call"}) for n in range(50)]
    ami.handlers["Status"] = lambda c, r: listing(r, "StatusComplete", items)
    reply = asker.ask("Status")
    assert reply["outcome"] == "success"
    assert len(reply["events"]) == 50 and reply["events"][49]["Channel"] == "PJSIP/49"


def test_expired_is_never_sent(gateway, ami, asker):
    gateway()
    assert asker.ask("Hangup", [("Channel", "x")], deadline_ms=-1)["outcome"] == "expired"
    assert not ami.asked("Hangup")


def test_unavailable_is_answered_soon(gateway, ami, asker):
    ami.refuse()
    gateway("alive")
    wait_until(lambda: asker.redis.get("lease:gateway:main"))
    started = time.time()
    reply = asker.ask("Hangup", [("Channel", "x")])
    assert reply["outcome"] == "unavailable" and time.time() - started < 5
    assert not ami.asked("Hangup")


# What it asks by itself: to log in, to watch the connection, for a snapshot.
GATEWAYS_OWN = {"Challenge", "Login", "Filter", "Ping", "CoreSettings", "CoreShowChannels",
                "DeviceStateList", "QueueStatus"}


@pytest.mark.parametrize("action, fields, more", [
    ("Setvar", [("Variable", "A"), ("Value", "x\r\nAction: Ping")], {}),
    ("Setvar", [("Variable", "A"), ("Value", "x\n")], {}),
    ("Setvar", [("Variable", "A\r\nAction: Ping"), ("Value", "x")], {}),
    ("Setvar", [("Variable", "A"), ("Val\nue", "x")], {}),
    ("Setvar", [("Variable", "A"), ("Value", "x" * 1100)], {}),
    ("Setvar", [("ActionID", "mine")], {}),
    ("UserEvent", [("K", "v")] * 127, {}),
    ("Getvar", [("Variable", "SHELL(id)")], {}),
    ("Command", [("Command", "core stop now")], {}),
    ("ModuleLoad", [("Module", "app_dial.so")], {}),
    ("Ping\r\nAction: Hangup", [], {}),
    ("Originate", [("Channel", "PJSIP/1001"), ("Application", "System"), ("Data", "id")],
     {"callId": "c1"}),
    ("Originate", [("Channel", "PJSIP/1001")], {}),
    ("Originate", [("Channel", "PJSIP/1001")], {"callId": "c1\r\nAction: Hangup"}),
])
def test_invalid_is_never_sent(gateway, ami, asker, action, fields, more, recording):
    gateway()
    reply = asker.ask(action, fields, **more)
    assert reply["outcome"] == "invalid" and reply["message"]
    asker.redis.delete(ACTIONS)  # these are not to be held against the schema
    asker.redis.delete("events:ami:main")
    assert {request["Action"] for request in ami.requests} <= GATEWAYS_OWN


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"id": "x1", "action": 5}', "\0",
                                  '{"v": 1, "id": "a b", "action": "Ping", "fields": [], '
                                  '"deadlineAt": 99999999999999}'])
def test_an_unreadable_action_hinders_nobody(gateway, asker, text):
    gateway()
    bad = asker.redis.xadd(ACTIONS, {"a": text})
    assert asker.ask("QueueReset")["outcome"] == "success"
    wait_until(lambda: asker.pending() == 0)
    asker.redis.xdel(ACTIONS, bad)


def test_a_connection_that_dies_leaves_the_outcome_unknown(gateway, ami, asker):
    gateway()
    ami.handlers["Redirect"] = lambda c, r: c.close()
    assert asker.ask("Redirect", [("Channel", "x")])["outcome"] == "outcome_unknown"
    time.sleep(1)
    assert len(ami.asked("Redirect")) == 1


def test_no_answer_before_the_deadline(gateway, ami, asker):
    gateway()
    ami.handlers["Redirect"] = lambda c, r: None
    started = time.time()
    reply = asker.ask("Redirect", [("Channel", "x")], deadline_ms=700)
    assert reply["outcome"] == "outcome_unknown"
    assert time.time() - started >= 0.7


def test_originate_is_announced_before_anything_comes_of_it(gateway, ami, asker, redis):
    gateway()
    wait_for(redis, "MaydaySnapshotEnd")

    def originate(connection, request):
        ami.emit(event("Newchannel", Uniqueid=request["ChannelId"]))
        return answer(request, Message="Originate successfully queued")
    ami.handlers["Originate"] = originate
    reply = asker.ask("Originate", [("Channel", "PJSIP/1001"), ("Async", "false"),
                                    ("ChannelId", "forged"), ("Context", "from-internal")],
                      callId="1795400000000-abcd", data={"agent": "1001"})
    assert reply["outcome"] == "success"
    sent = ami.asked("Originate")[0]
    assert (sent["ChannelId"], sent["Async"]) == ("1795400000000-abcd", "true")
    wait_for(redis, "Newchannel")
    names = [e["Event"] for e in entries(redis)]
    assert names.index("MaydayOriginate") < names.index("Newchannel")
    announced = named(redis, "MaydayOriginate")[0]
    assert announced["callId"] == "1795400000000-abcd"
    assert announced["actionId"] == reply["id"] == sent["ActionID"]
    assert announced["data"] == {"agent": "1001"}
    assert ["Async", "true"] in announced["fields"]
    assert ["ChannelId", "forged"] not in announced["fields"]
    assert not named(redis, "MaydayOriginateFailed")


@pytest.mark.parametrize("how, outcome", [("refused", "error"), ("late", "expired"),
                                          ("died", "outcome_unknown")])
def test_a_call_that_fails_is_said(gateway, ami, asker, redis, how, outcome):
    gateway()
    ami.handlers["Originate"] = {
        "refused": lambda c, r: answer(r, "Error", Message="Extension does not exist."),
        "late": None, "died": lambda c, r: c.close()}[how]
    reply = asker.ask("Originate", [("Channel", "PJSIP/1001")], callId="call-1",
                      deadline_ms=-1 if how == "late" else 5000)
    assert reply["outcome"] == outcome
    failed = wait_for(redis, "MaydayOriginateFailed")
    assert len(failed) == 1
    assert (failed[0]["callId"], failed[0]["outcome"]) == ("call-1", outcome)
    announced = named(redis, "MaydayOriginate")
    assert len(announced) == 1 and announced[0]["n"] < failed[0]["n"]
    assert (announced[0]["fields"] == []) == (how == "late")


def test_a_killed_gateway_never_sends_again(gateway, ami, asker, redis):
    first = gateway()
    ami.handlers["Redirect"] = lambda c, r: None
    ami.handlers["Originate"] = lambda c, r: None
    ids = [asker.post("Redirect", [("Channel", "x")], deadline_ms=60000),
           asker.post("Originate", [("Channel", "PJSIP/1001")], deadline_ms=60000, callId="c-1")]
    wait_until(lambda: ami.asked("Redirect") and ami.asked("Originate"))
    first.kill9()
    gateway()
    for action_id in ids:
        assert asker.wait(action_id)["outcome"] == "outcome_unknown"
    wait_until(lambda: asker.pending() == 0)
    assert len(ami.asked("Redirect")) == 1 and len(ami.asked("Originate")) == 1
    assert [e["callId"] for e in wait_for(redis, "MaydayOriginateFailed")] == ["c-1"]
    assert {e["callId"] for e in named(redis, "MaydayOriginate")} == {"c-1"}


def test_actions_of_a_time_without_a_gateway(gateway, ami, asker):
    late = asker.post("Hangup", [("Channel", "late")], deadline_ms=100)
    good = asker.post("Hangup", [("Channel", "good")], deadline_ms=60000)
    time.sleep(0.2)
    gateway()
    assert asker.wait(late)["outcome"] == "expired"
    assert asker.wait(good)["outcome"] == "success"
    assert [r["Channel"] for r in ami.asked("Hangup")] == ["good"]


def test_a_reply_that_redis_could_not_take_comes_later(gateway, ami, asker, redis_server):
    gateway()
    done = threading.Event()

    def slow(connection, request):
        threading.Timer(1, lambda: (connection.send(answer(request, Message="done")),
                                    done.set())).start()
    ami.handlers["Redirect"] = slow
    action_id = asker.post("Redirect", [("Channel", "x")], deadline_ms=60000)
    wait_until(lambda: ami.asked("Redirect"))
    redis_server.kill9()
    assert done.wait(10)
    time.sleep(0.5)
    redis_server.start()
    assert asker.wait(action_id)["outcome"] == "success"
    wait_until(lambda: asker.pending() == 0)
    assert len(ami.asked("Redirect")) == 1


def test_many_actions_at_once(gateway, ami, asker):
    gateway()
    ids = [asker.post("Hangup", [("Channel", str(n))], deadline_ms=30000) for n in range(1000)]
    for action_id in ids:
        assert asker.wait(action_id)["outcome"] == "success"
    assert len(ami.asked("Hangup")) == 1000
    wait_until(lambda: asker.pending() == 0)
