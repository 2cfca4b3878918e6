"""ws-fanout: webhooks are signed, in order, tried again, given up, replayed, and slow nobody."""

import json

import pytest

from lib import events
from lib.client import assert_error
from lib.process import wait_until
from lib.receiver import Receiver

FAST = {"WEBHOOK_BACKOFF_MS": 20, "WEBHOOK_ATTEMPTS": 3}


@pytest.fixture
def fanout(daemon):
    return daemon("ws-fanout", **FAST)


@pytest.fixture
def receiver(net):
    made = Receiver(net)
    yield made
    made.close()


@pytest.fixture
def admin(fanout, session, rest):
    return rest(fanout, session("admin", "9000"))


def held(fanout, redis):
    wait_until(lambda: redis.get("lease:webhooks"))


def add(admin, receiver, **fields):
    answer = admin.post("/api/webhooks", {"url": receiver.url, "topics": ["call"], **fields})
    assert answer.status_code == 201, answer.text
    return answer.json()


def of(admin, webhook):
    return admin.get(f"/api/webhooks/{webhook['webhookId']}").json()


def test_deliveries_are_signed_and_in_order(fanout, redis, admin, receiver, recording):
    events.add(redis, "before", "1001")
    webhook = add(admin, receiver, description="billing")
    sent = events.add_many(redis, 50, "1001")
    wait_until(lambda: len(receiver.taken) == 50)
    assert receiver.cursors == sent
    for message in receiver.messages:
        recording.server(message)
    assert receiver.signed_by(webhook["secret"])
    assert receiver.taken[0][0]["Mayday-Webhook"] == webhook["webhookId"]
    shown = wait_until(lambda: of(admin, webhook)["delivered"] == 50 and of(admin, webhook))
    assert "secret" not in shown and shown["lastError"] == "" and sent[-1] in shown["cursors"]
    fanout.restart()
    last = events.add(redis, "last", "1001")
    wait_until(lambda: receiver.cursors[-1] == last, 20)
    assert receiver.cursors == [*sent, last]


def test_only_what_it_wants(fanout, redis, admin, receiver):
    add(admin, receiver, topics=["call", "agent"], extensions=["1001"],
        types=["call:held", "agent:changed"], secret="0123456789abcdef")
    add(admin, receiver, queues=["support"])
    events.add(redis, "a", "1001")
    events.add(redis, "b", "1002", kind="call:held", data={"state": "held"})
    yes = events.add(redis, "c", "1001", kind="call:held", data={"state": "held"})
    queued = events.add(redis, "d", "1003", kind="call:queued",
                        data={"state": "queued", "queue": "support"})
    status = events.add(redis, "x", "1001", stream="events:agent", kind="agent:changed",
                        data={"extension": "1001", "state": "busy"}, redisKey="agent:1001")
    wait_until(lambda: len(receiver.taken) == 3)
    assert set(receiver.cursors) == {yes, queued, status}


def test_failures_are_tried_again_then_given_up_and_replayed(fanout, redis, admin, receiver):
    webhook = add(admin, receiver)
    path = f"/api/webhooks/{webhook['webhookId']}"
    receiver.status = [500, 302, 200]
    first = events.add(redis, "first", "1001")
    wait_until(lambda: receiver.cursors == [first])
    assert [headers["Mayday-Webhook"] for headers, _ in receiver.refused]
    assert len(receiver.refused) == 2
    receiver.status = 503
    lost = events.add_many(redis, 3, "1001")
    wait_until(lambda: of(admin, webhook)["deadLetters"] == 3, 30)
    assert of(admin, webhook)["lastError"] == "HTTP 503"
    letters = admin.get(path + "/dead-letters?limit=2").json()
    more = admin.get(path + f"/dead-letters?cursor={letters['nextCursor']}").json()
    both = letters["deadLetters"] + more["deadLetters"]
    assert [each["delivery"]["cursor"] for each in both] == lost
    assert both[0]["error"] == "HTTP 503"
    receiver.status = 200
    assert admin.post(path + "/replay", {"deadLetters": True}).status_code == 202
    wait_until(lambda: receiver.cursors == [first, *lost], 20)
    wait_until(lambda: of(admin, webhook)["deadLetters"] == 0)
    assert admin.post(path + "/replay", {"since": [first]}).status_code == 202
    wait_until(lambda: receiver.cursors == [first, *lost, *lost], 20)


def test_a_receiver_that_is_away_or_slow_slows_nobody(fanout, redis, admin, receiver, session,
                                                       websocket):
    away = add(admin, receiver, url="http://127.0.0.1:1/nobody")
    add(admin, receiver)
    receiver.hold()
    socket = websocket(fanout, session("manager", "2000"))
    sent = events.add_many(redis, 1000, "1001")
    assert [socket.wait_for("event")["cursor"] for _ in sent] == sent
    wait_until(lambda: of(admin, away)["deadLetters"] > 0)
    assert "connect" in of(admin, away)["lastError"].lower()
    receiver.release()
    wait_until(lambda: len(receiver.taken) == 1000, 30)
    assert receiver.cursors == sent


def test_what_is_older_than_memory_comes_from_redis(daemon, redis, session, rest, receiver):
    fanout = daemon("ws-fanout", WS_BACKLOG_KB=16, **FAST)
    admin = rest(fanout, session("admin", "9000"))
    webhook = add(admin, receiver)
    receiver.hold()
    sent = events.add_many(redis, 500, "1001")
    wait_until(lambda: fanout.metric("mayday_ws_events_total") >= 500)
    receiver.release()
    wait_until(lambda: len(receiver.taken) == 500, 30)
    assert receiver.cursors == sent
    assert of(admin, webhook)["failed"] == 0


def test_changes(fanout, redis, admin, receiver, session, rest):
    webhook = add(admin, receiver)
    path = f"/api/webhooks/{webhook['webhookId']}"
    assert admin.put(path, {"enabled": False}).json()["enabled"] is False
    held(fanout, redis)
    wait_until(lambda: fanout.metric("mayday_webhook_deliveries_total") == 0)
    first = events.add(redis, "first", "1001")
    changed = admin.put(path, {"enabled": True, "description": "x", "types": ["call:ringing"]}).json()
    assert changed["types"] == ["call:ringing"] and changed["url"] == receiver.url
    wait_until(lambda: receiver.cursors == [first])
    assert [each["webhookId"] for each in admin.get("/api/webhooks").json()["webhooks"]] == [
        webhook["webhookId"]]
    manager = rest(fanout, session("manager", "2000"))
    assert_error(manager.get(path), 403, "forbidden")
    assert_error(manager.delete(path), 403, "forbidden")
    assert admin.delete(path).status_code == 204
    assert_error(admin.get(path), 404, "not_found")
    assert_error(admin.delete(path), 404, "not_found")
    wait_until(lambda: not redis.keys("webhook*"))
    kept = [json.loads(fields["a"]) for _, fields in redis.xrange("audit")]
    assert [each["action"] for each in kept] == [
        "webhook:created", "webhook:changed", "webhook:changed", "webhook:removed"]
    assert {each["subject"] for each in kept} == {webhook["webhookId"]}


@pytest.mark.parametrize("body", [
    {}, {"topics": ["call"]}, {"url": "ftp://x/", "topics": ["call"]},
    {"url": "http://", "topics": ["call"]}, {"url": "http://u:p@x/", "topics": ["call"]},
    {"url": "http://x/\r\nX: y", "topics": ["call"]}, {"url": "http://x/", "topics": []},
    {"url": "http://x/", "topics": ["moon"]}, {"url": "http://x/", "topics": [5]},
    {"url": "http://x/", "topics": "call"}, {"url": 5, "topics": ["call"]},
    {"url": "http://x/", "topics": ["call"], "secret": "short"},
    {"url": "http://x/", "topics": ["call"], "types": ["x"] * 33},
    {"url": "http://x/" + "y" * 1100, "topics": ["call"]}])
def test_bad_webhooks(admin, body):
    assert_error(admin.post("/api/webhooks", body), 400, "bad_request")


@pytest.mark.parametrize("body", [{}, {"since": []}, {"since": ["x"]}, {"since": [5]},
                                  {"since": "call:1-0"}, {"deadLetters": False}])
def test_bad_replays(admin, receiver, body):
    webhook = add(admin, receiver)
    assert_error(admin.post(f"/api/webhooks/{webhook['webhookId']}/replay", body), 400,
                 "bad_request")
