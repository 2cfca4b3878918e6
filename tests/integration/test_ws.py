"""ws-fanout: who is let in, who sees what, and how it ends."""

import json
import time

import jwt
import pytest

from lib import events, tokens
from lib.client import WebSocket, assert_error
from lib.process import wait_until


PAST = int(time.time()) - 900


@pytest.fixture
def fanout(daemon):
    return daemon("ws-fanout")


def refused(fanout, token, recording):
    """Error code and close code."""
    socket = WebSocket(fanout.ws_url, recording)
    socket.send({"type": "auth", "token": token})
    return socket.receive()["code"], socket.wait_closed()


def followed(message):
    return {each["topic"]: each.get("extensions") for each in message["topics"]}


def test_welcome_says_who_and_what(fanout, session, websocket):
    agent = websocket(fanout, session("agent", "1001"), id="hello")
    assert agent.welcome["principal"]["extension"] == "1001"
    assert "make_calls" in agent.welcome["principal"]["permissions"]
    assert agent.welcome["id"] == "hello" and agent.welcome["heartbeatMs"] == 25000
    assert followed(agent.welcome) == {topic: ["1001"]
                                       for topic in ("call", "agent", "queue", "transfer",
                                                     "crm")}
    manager = websocket(fanout, session("manager", "2000"))
    assert followed(manager.welcome)["call"] is None
    assert manager.welcome["connectionId"] != agent.welcome["connectionId"]


def test_the_subprotocol_is_spoken(fanout):
    socket = WebSocket(fanout.ws_url, subprotocols=["other", "mayday.v1"])
    assert socket.subprotocol == "mayday.v1"
    socket.close()


@pytest.mark.parametrize("changes, code", [
    ({"iat": PAST, "nbf": PAST, "exp": PAST + 60}, "token_expired"),
    ({"aud": "someone-else"}, "invalid_token"),
    ({"iss": "someone-else"}, "invalid_token"),
    ({"exp": None}, "invalid_token"),
    ({"key": "another-secret-of-at-least-32-bytes-01"}, "invalid_token"),
])
def test_bad_tokens(fanout, session, recording, changes, code):
    token = tokens.token(session().id, **changes)
    assert refused(fanout, token, recording) == (code, 4401)


def test_an_unsigned_token_is_refused(fanout, session, recording):
    body = jwt.decode(session().token, options={"verify_signature": False})
    unsigned = jwt.encode(body, None, algorithm="none")
    assert refused(fanout, unsigned, recording) == ("invalid_token", 4401)
    assert refused(fanout, "x", recording) == ("invalid_token", 4401)


def test_a_revoked_session_is_not_let_in(fanout, session, recording):
    one = session()
    one.revoke()
    assert refused(fanout, one.token, recording) == ("session_revoked", 4403)


@pytest.mark.parametrize("first", [
    {"type": "subscribe", "topics": ["call"]}, {"type": "ping"}])
def test_the_first_message_must_be_auth(fanout, recording, first):
    socket = WebSocket(fanout.ws_url, recording)
    socket.send(first)
    assert socket.receive()["code"] == "unauthorized"
    assert socket.wait_closed() == 4401


def test_silence_at_the_start_is_ended(fanout, recording):
    assert WebSocket(fanout.ws_url, recording).wait_closed(15) == 4401


def test_a_ticket_works_once(fanout, redis, session, recording):
    one = session("agent", "1001")
    redis.set("cache:ticket:t1", one.id, ex=30)
    socket = WebSocket(fanout.ws_url, recording)
    socket.send({"type": "auth", "ticket": "t1"})
    assert socket.wait_for("welcome")["principal"]["extension"] == "1001"
    again = WebSocket(fanout.ws_url, recording)
    again.send({"type": "auth", "ticket": "t1"})
    assert again.receive()["code"] == "invalid_token"
    assert again.wait_closed() == 4401
    socket.close()


def test_rooms(fanout, redis, session, websocket):
    first = websocket(fanout, session("agent", "1001"))
    second = websocket(fanout, session("agent", "1002"))
    manager = websocket(fanout, session("manager", "2000"))
    mine = events.add(redis, "a", "1001", "3000")
    both = events.add(redis, "b", "1002", "1001")
    nobody = events.add(redis, "c", "1003")
    last = events.add(redis, "d", "1001", "1002")

    def seen(socket):
        while not socket.messages or socket.messages[-1].get("cursor") != last:
            socket.receive()
        return [each["cursor"] for each in socket.messages if each["type"] == "event"]
    assert seen(first) == [mine, both, last]
    assert seen(second) == [both, last]
    assert seen(manager) == [mine, both, nobody, last]
    assert first.messages[-1]["event"]["callId"] == "d"


def test_subscriptions_stay_within_the_role(fanout, redis, session, websocket):
    agent = websocket(fanout, session("agent", "1001"))
    agent.send({"type": "subscribe", "topics": ["call", "ami", "moon"], "extensions": ["1002"],
                "id": "1"})
    answer = agent.wait_for("subscribed")
    assert {(each["topic"], each["code"]) for each in answer["refused"]} == {
        ("call", "forbidden"), ("ami", "forbidden"), ("moon", "unknown_topic")}
    assert followed(answer)["call"] == ["1001"] and answer["id"] == "1"
    events.add(redis, "secret", "1002")
    agent.send({"type": "unsubscribe", "topics": ["call"]})
    assert "call" not in followed(agent.wait_for("subscribed"))
    events.add(redis, "mine", "1001")
    agent.send({"type": "ping", "id": "p"})
    assert agent.receive()["type"] == "pong"


def test_a_supervisor_filters_by_extension(fanout, redis, session, websocket):
    manager = websocket(fanout, session("manager", "2000"))
    manager.send({"type": "subscribe", "topics": ["call"], "extensions": ["1001", "1002", "b\n"]})
    answer = manager.wait_for("subscribed")
    assert sorted(followed(answer)["call"]) == ["1001", "1002"]
    assert answer["refused"] == [{"topic": "call", "extension": "b\n", "code": "bad_extension"}]
    events.add(redis, "no", "1003")
    yes = events.add(redis, "yes", "1002", "1001")
    assert manager.wait_for("event")["cursor"] == yes
    manager.send({"type": "subscribe", "topics": ["call", "ami", "session"]})
    assert followed(manager.wait_for("subscribed"))["call"] is None
    every = events.add(redis, "every", "1003")
    assert manager.wait_for("event")["cursor"] == every


def test_a_revoked_session_is_closed(fanout, redis, session, websocket):
    gone, stays = session("agent", "1001"), session("agent", "1001")
    socket, other = websocket(fanout, gone), websocket(fanout, stays)
    events.revoke(redis, gone)
    assert socket.wait_closed(2) == 4403
    last = events.add(redis, "after", "1001")
    assert other.wait_for("event")["cursor"] == last
    assert fanout.metric("mayday_ws_revoked_total") == 1


def test_a_token_that_ends_and_one_that_is_renewed(fanout, session, websocket):
    one = session("agent", "1001")
    one.token = tokens.token(one.id, "agent", "1001", lifetime=3)
    ends, renewed = websocket(fanout, one), websocket(fanout, one)
    renewed.send({"type": "auth", "token": tokens.token(one.id, "agent", "1001"), "id": "r"})
    assert renewed.wait_for("renewed")["expiresAt"] > renewed.welcome["expiresAt"]
    assert ends.wait_closed(15) == 4401
    renewed.send({"type": "ping"})
    renewed.wait_for("pong")


def test_a_renewal_for_someone_else_changes_nothing(fanout, session, websocket):
    socket = websocket(fanout, session("agent", "1001"))
    for other in (session("agent", "1002"), session("manager", "1001")):
        socket.send({"type": "auth", "token": other.token})
        assert socket.receive()["code"] == "other_user"
    socket.send({"type": "auth", "token": "broken"})
    assert socket.receive()["code"] == "invalid_token"
    socket.send({"type": "ping"})
    socket.wait_for("pong")


def test_going_away(fanout, session, websocket):
    socket = websocket(fanout, session())
    fanout.signal(15)
    assert socket.wait_closed() == 1001
    wait_until(lambda: not fanout.running())


def test_connections_are_listed_in_pages(fanout, redis, session, websocket, rest):
    sockets = [websocket(fanout, session("agent", str(1000 + n))) for n in range(5)]
    admin = rest(fanout, session("admin", "9000"))
    first = admin.get("/api/admin/ws/connections?limit=3").json()
    rest_of = admin.get(f"/api/admin/ws/connections?limit=3&cursor={first['nextCursor']}").json()
    both = first["connections"] + rest_of["connections"]
    assert [each["extension"] for each in both] == [str(1000 + n) for n in range(5)]
    assert [each["connectionId"] for each in both] == [
        each.welcome["connectionId"] for each in sockets]
    assert rest_of["nextCursor"] is None and both[0]["queuedBytes"] == 0
    assert_error(admin.get("/api/admin/ws/connections?cursor=x"), 400, "bad_cursor")
    gone = both[2]["connectionId"]
    assert admin.delete(f"/api/admin/ws/connections/{gone}").status_code == 204
    assert sockets[2].wait_closed() == 4403
    kept, = [json.loads(fields["a"]) for _, fields in redis.xrange("audit")]
    assert (kept["action"], kept["actor"], kept["subject"], kept["detail"]) == (
        "connection:closed", "user-9000", "user-1002", gone)
    assert_error(rest(fanout, session("agent")).get("/api/admin/ws/connections"), 403, "forbidden")


def test_entries_that_are_no_events_are_counted(fanout, redis, session, websocket, recording):
    recording.ignore("events:call")
    socket = websocket(fanout, session("manager", "2000"))
    for bad in ("", "{", "[]", "{}", '{"eventType": 5}', "\x00"):
        redis.xadd("events:call", {"e": bad})
    good = events.add(redis, "good", "1001")
    assert socket.wait_for("event")["cursor"] == good
    assert fanout.metric("mayday_ws_events_malformed_total") == 6


def test_how_far_the_streams_are_behind(fanout, redis_server, redis, session, websocket):
    """The reader is forbidden to read; what then comes is what it lags behind."""
    socket = websocket(fanout, session("manager", "2000"))
    first = events.add(redis, "first", "1001")
    assert socket.wait_for("event")["cursor"] == first
    assert fanout.metric('mayday_ws_stream_events_total{topic="call"}') == 1
    lag = 'mayday_ws_stream_lag_ms{topic="%s"}'
    user = redis_server.settings_of("ws-fanout").get("REDIS_USERNAME", "default")
    redis.execute_command("ACL", "SETUSER", user, "-xread")
    try:
        events.add(redis, "second", "1001")  # may still wake a reader that waits
        last = events.add(redis, "third", "1001")
        wait_until(lambda: fanout.metric(lag % "call") > 0, 20)
        assert fanout.metric(lag % "agent") == 0
    finally:
        redis.execute_command("ACL", "SETUSER", user, "+xread")
    while socket.wait_for("event", 20)["cursor"] != last:
        pass
    wait_until(lambda: fanout.metric(lag % "call") == 0, 20)
    redis.execute_command("ACL", "LOG", "RESET")  # what was refused was on purpose


def test_redis_away(fanout, redis_server, session, websocket, recording):
    one = session("agent", "1001")
    socket = websocket(fanout, one)
    redis_server.sigstop()
    try:
        wait_until(lambda: not fanout.ready(), 15)
        late = WebSocket(fanout.ws_url, recording)
        late.send({"type": "auth", "token": one.token})
        assert late.receive()["code"] == "unavailable"
        assert late.wait_closed() == 1013
    finally:
        redis_server.sigcont()
    wait_until(fanout.ready, 15)
    cursor = events.add(redis_server.client, "after", "1001")
    assert socket.wait_for("event")["cursor"] == cursor
