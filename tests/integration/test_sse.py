"""ws-fanout: server-sent events at /api/events."""

import json
import time

import pytest
import requests

from lib import events, tokens
from lib.process import wait_until


class Stream:
    """Events as (event, data, id), as the format says they are parsed."""

    def __init__(self, fanout, headers=None, **query):
        self.answer = requests.get(f"http://{fanout.ws_listen}/api/events", params=query, stream=True,
                                   headers=headers, timeout=10)
        self.lines = self.answer.iter_lines(chunk_size=1)
        self.retry = None

    def next(self):
        fields = {"event": "message", "data": [], "id": None}
        for line in self.lines:
            if not line:
                if fields["data"]:
                    return fields["event"], json.loads("\n".join(fields["data"])), fields["id"]
                continue
            name, _, value = line.decode().partition(": ")
            if name == "data":
                fields["data"].append(value)
            elif name == "retry":
                self.retry = int(value)
            elif name:
                fields[name] = value
        return None

    def wait(self, *kinds):
        while True:
            found = self.next()
            assert found, "the stream has ended"
            if found[0] in kinds:
                return found


@pytest.fixture
def fanout(daemon):
    return daemon("ws-fanout")


def test_events_and_last_event_id(fanout, redis, session, recording):
    agent = session("agent", "1001")
    stream = Stream(fanout, agent.headers)
    assert stream.answer.headers["Content-Type"] == "text/event-stream"
    _, welcome, _ = stream.wait("welcome")
    recording.server(welcome)
    events.add(redis, "a", "1001")
    events.add(redis, "no", "1002")
    kind, event, last = stream.wait("call:ringing")
    assert event["callId"] == "a"
    stream.answer.close()
    events.add(redis, "b", "1001")
    events.add(redis, "x", "1001", stream="events:agent", kind="agent:changed",
               data={"extension": "1001", "state": "busy"}, redisKey="agent:1001")
    again = Stream(fanout, {**agent.headers, "Last-Event-ID": last})
    got = {again.wait("call:ringing", "agent:changed")[0] for _ in range(2)}
    assert got == {"call:ringing", "agent:changed"}
    events.add(redis, "c", "1001")
    assert again.wait("call:ringing")[1]["callId"] == "c"


def test_what_the_query_asks_for(fanout, redis, session):
    manager = session("manager", "2000")
    stream = Stream(fanout, manager.headers, topics="call,ami,session", extensions="1001",
                    types="call:held,ami:connected", snapshot="true")
    _, welcome, _ = stream.wait("welcome")
    assert {each["topic"]: each.get("types") for each in welcome["topics"]} == {
        "call": ["call:held"], "ami": ["ami:connected"], "session": None}
    assert stream.wait("snapshot")[1]["calls"] == []
    events.add(redis, "a", "1001")
    events.add(redis, "b", "1002", kind="call:held", data={"state": "held"})
    events.add(redis, "c", "1001", kind="call:held", data={"state": "held"})
    assert stream.wait("call:held", "call:ringing")[1]["callId"] == "c"


def test_a_ticket_in_the_query(fanout, redis, session):
    redis.set("cache:ticket:t1", session("agent", "1001").id, ex=30)
    Stream(fanout, ticket="t1").wait("welcome")
    assert Stream(fanout, ticket="t1").answer.status_code == 401


def test_who_may_not_come_in(fanout, session):
    past = int(time.time()) - 900
    old = tokens.token(session().id, iat=past, nbf=past, exp=past + 60)
    for status, code, headers, query in (
            (401, "unauthorized", {}, {}), (401, "unauthorized", {"Authorization": "Basic x"}, {}),
            (401, "unauthorized", {}, {"token": session().token}),
            (401, "invalid_token", {"Authorization": "Bearer x"}, {}),
            (401, "token_expired", {"Authorization": f"Bearer {old}"}, {}),
            (400, "bad_message", session().headers, {"since": "call"}),
            (403, "origin_not_allowed", {**session().headers, "Origin": "https://evil.example"}, {})):
        answer = Stream(fanout, headers, **query).answer
        assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    url = f"http://{fanout.ws_listen}/api/events"
    assert requests.post(url, headers=session().headers, timeout=5).status_code == 405
    assert requests.delete(url, timeout=5).status_code == 405


def test_another_site_that_may(daemon, session):
    fanout = daemon("ws-fanout", WS_ORIGINS="https://crm.example")
    url, origin = f"http://{fanout.ws_listen}/api/events", {"Origin": "https://crm.example"}
    asked = requests.options(url, headers=origin, timeout=5)
    assert asked.status_code == 204
    assert asked.headers["Access-Control-Allow-Origin"] == "https://crm.example"
    assert "authorization" in asked.headers["Access-Control-Allow-Headers"]
    stream = Stream(fanout, {**session().headers, **origin})
    assert stream.answer.headers["Access-Control-Allow-Origin"] == "https://crm.example"


def test_the_end(daemon, redis, session):
    fanout = daemon("ws-fanout", WS_PING_MS=1000)
    one = session("agent", "1001")
    revoked, stays = Stream(fanout, one.headers), Stream(fanout, session().headers)
    revoked.wait("welcome")
    stays.wait("welcome")
    events.revoke(redis, one)
    assert revoked.wait("error")[1]["code"] == "session_revoked"
    assert revoked.next() is None
    assert stays.lines.__next__() == b":"  # a sign of life
    fanout.signal(15)
    assert stays.next() is None and stays.retry is not None
    wait_until(lambda: not fanout.running())


def test_extensions_with_a_connection_are_told(fanout, redis, session, websocket):
    websocket(fanout, session("agent", "1007"))
    wait_until(lambda: redis.zscore("agents:sockets", "1007"))
    stream = Stream(fanout, session("agent", "1008").headers)
    stream.wait("welcome")
    wait_until(lambda: redis.zscore("agents:sockets", "1008"))
