"""ws-fanout and the unmodified socket.io-client of npm, on both transports, through nginx."""

import json

import pytest
import requests

from lib import events
from lib.daemon import ROOT
from lib.node import SocketIo
from lib.process import wait_until

PROXY = (ROOT / "deploy/nginx/proxy.conf").read_text()
NGINX = """
listen {listen};
set $mayday_connection $http_connection; set $mayday_request_id $request_id;
%s
location / { proxy_buffering off; proxy_read_timeout 60s; proxy_pass http://%s; }
"""
TRANSPORTS = {"polling": ["polling"], "websocket": ["websocket"],
              "upgrade": ["polling", "websocket"]}


@pytest.fixture
def fanout(daemon):
    return daemon("ws-fanout")


@pytest.fixture
def front(fanout, nginx):
    return nginx(NGINX % (PROXY, fanout.ws_listen)).url


@pytest.fixture
def clients(front):
    made = SocketIo(front)
    yield made
    made.close()


@pytest.fixture(params=TRANSPORTS)
def transports(request):
    return TRANSPORTS[request.param]


def test_events_and_acknowledgements(clients, redis, session, transports, recording):
    agent = session("agent", "1001")
    clients.connect("a", agent.token, transports=transports)
    assert clients.wait("a", "connect")["transport"] in transports
    welcome = clients.wait("a", "event", event="welcome")["args"][0]
    recording.server(welcome)
    assert welcome["principal"]["extension"] == "1001"
    if len(transports) == 2:
        assert clients.wait("a", "upgrade")["transport"] == "websocket"
    clients.emit("a", "subscribe", {"topics": ["call", "ami"]}, ack="1")
    answer = clients.wait("a", "ack", ack="1")["answer"][0]
    assert answer["refused"] == [{"topic": "ami", "code": "forbidden"}]
    sent = [events.add(redis, f"c{n}", "1001") for n in range(50)]
    events.add(redis, "not mine", "1002")
    last = events.add(redis, "last", "1001", kind="call:held", data={"state": "held"})
    held = clients.wait("a", "event", event="call:held")
    assert held["args"][0]["callId"] == "last" and last.split(":")[1] in held["args"][1]
    ringing = [clients.wait("a", "event", event="call:ringing")["args"][0]["callId"]
               for _ in sent]
    assert ringing == [f"c{n}" for n in range(50)]
    clients.emit("a", "nonsense", ack="2")
    assert clients.wait("a", "ack", ack="2")["answer"][0]["code"] == "unknown_type"
    clients.disconnect("a")
    clients.wait("a", "disconnect", reason="io client disconnect")


def test_extension_status(clients, redis, session):
    clients.connect("m", session("manager", "2000").token)
    clients.wait("m", "event", event="welcome")
    events.add(redis, "x", "1001", stream="events:agent", kind="agent:changed",
               data={"extension": "1001", "state": "busy", "callId": "c"}, redisKey="agent:1001")
    status = clients.wait("m", "event", event="extension:status")["args"][0]
    assert status["extension"] == "1001" and status["status"] == "busy"
    assert clients.wait("m", "event", event="agent:changed")["args"][0]["extension"] == "1001"


def test_who_may_not_come_in(clients, redis, session, transports):
    gone = session()
    gone.revoke()
    for name, token, namespace, code in (
            ("none", None, "/", "bad_message"), ("bad", "x", "/", "invalid_token"),
            ("gone", gone.token, "/", "session_revoked"),
            ("moon", session().token, "/moon", "invalid_namespace")):
        clients.connect(name, token, namespace, transports=transports, reconnection=False)
        error = clients.wait(name, "connect_error")
        assert error["data"]["code"] == code and error["message"]
        assert not error["active"]


def test_namespaces_of_one_topic(clients, redis, session):
    clients.connect("calls", session("manager", "2000").token, "/call")
    welcome = clients.wait("calls", "event", event="welcome")["args"][0]
    assert [each["topic"] for each in welcome["topics"]] == ["call"]
    clients.emit("calls", "subscribe", {"topics": ["agent"]}, ack="1")
    answer = clients.wait("calls", "ack", ack="1")["answer"][0]
    assert answer["refused"] == [{"topic": "agent", "code": "forbidden"}]
    events.add(redis, "c", "1001")
    assert clients.wait("calls", "event", event="call:ringing")["args"][0]["callId"] == "c"


def test_what_was_missed_comes_after_a_break(clients, fanout, redis, session, transports):
    """Without an event before, with one, and after a restart of the daemon; nothing twice."""
    clients.connect("a", session("manager", "2000").token, transports=transports)
    first = clients.wait("a", "connect")
    assert not first["recovered"]
    calls = []
    cuts = (lambda: clients.cut("a"), lambda: clients.cut("a"), fanout.kill9)
    for number, cut in enumerate(cuts):
        cut()
        clients.wait("a", "disconnect")
        calls += [f"{number}-missed-{n}" for n in range(3)]
        for call in calls[-3:]:
            events.add(redis, call, "1001")
        events.add(redis, "x", "1001", stream="events:agent", kind="agent:changed",
                   data={"extension": "1001", "state": "busy"}, redisKey="agent:1001")
        if cut == fanout.kill9:
            fanout.start()
        again = clients.wait("a", "connect")
        assert again["recovered"]
        assert again["id"] == first["id"]
        first = again
        calls.append(f"{number}-live")
        events.add(redis, calls[-1], "1001")
        while True:
            if clients.wait("a", "event", event="call:ringing")["args"][0]["callId"] == calls[-1]:
                break
    clients.wait("a", "event", event="agent:changed")


def test_nothing_twice_and_nothing_left_out(clients, redis, session, transports):
    clients.connect("a", session("manager", "2000").token, transports=transports)
    clients.wait("a", "connect")
    expected = []
    for turn in range(3):
        if len(transports) == 2:  # closed before, the client keeps events back and asks again
            clients.wait("a", "upgrade")
        expected += [each.split(":")[1] for each in events.add_many(
            redis, 40, "1001", first=turn * 40)]
        clients.cut("a")
        expected += [each.split(":")[1] for each in events.add_many(
            redis, 40, "1001", first=1000 + turn * 40)]
        clients.wait("a", "connect")
    got = [clients.wait("a", "event", event="call:ringing")["args"][1].split("_")[0]
           for _ in expected]
    assert got == expected


def test_rooms_come_back_with_the_client(clients, fanout, redis, session):
    clients.connect("a", session("manager", "2000").token)
    clients.wait("a", "connect")
    clients.wait("a", "event", event="welcome")
    clients.emit("a", "unsubscribe", {"topics": ["agent", "queue", "transfer", "crm"]})
    clients.emit("a", "subscribe", {"topics": ["call"], "extensions": ["1001"],
                                    "types": ["call:ringing"]}, ack="1")
    clients.wait("a", "ack", ack="1")
    wait_until(lambda: redis.keys("cache:rooms:*"))
    fanout.restart()
    assert clients.wait("a", "connect")["recovered"]
    welcome = clients.wait("a", "event", event="welcome")["args"][0]
    assert welcome["topics"] == [{"topic": "call", "extensions": ["1001"],
                                  "types": ["call:ringing"]}]


def test_a_revoked_session_stays_away(clients, redis, session):
    one = session("agent", "1001")
    clients.connect("a", one.token)
    clients.wait("a", "event", event="welcome")
    events.revoke(redis, one)
    assert clients.wait("a", "event", event="error")["args"][0]["code"] == "session_revoked"
    clients.wait("a", "disconnect", reason="io server disconnect")


def test_a_restart_lets_clients_come_back(clients, fanout, session, transports):
    clients.connect("a", session("manager", "2000").token, transports=transports)
    clients.wait("a", "connect")
    fanout.restart()
    clients.wait("a", "disconnect")
    assert clients.wait("a", "connect")["recovered"]


def test_several_servers(daemon, nginx, redis, session):
    """As deploy/nginx has it: the address of the client chooses. One that dies is recovered by the
    others."""
    fanouts = [daemon("ws-fanout") for _ in range(3)]
    servers = "".join(f"server {each.ws_listen} max_fails=1 fail_timeout=2s; " for each in fanouts)
    front = nginx(NGINX % (PROXY, "sticky"),
                  "upstream sticky { hash $remote_addr consistent; %s keepalive 32; }\n" % servers)
    clients = SocketIo(front.url)
    token = session("manager", "2000").token
    for name, transports in TRANSPORTS.items():
        clients.connect(name, token, transports=transports)
        clients.wait(name, "connect")
    clients.wait("upgrade", "upgrade")
    events.add(redis, "before", "1001")
    for name in TRANSPORTS:
        assert clients.wait(name, "event", event="call:ringing")["args"][0]["callId"] == "before"
    there = [each for each in fanouts if each.metric("mayday_ws_deliveries_total") > 0]
    assert len(there) == 1
    there[0].kill9()
    events.add(redis, "missed", "1001")
    for name in TRANSPORTS:
        assert clients.wait(name, "connect")["recovered"]
        assert clients.wait(name, "event", event="call:ringing")["args"][0]["callId"] == "missed"
    clients.close()


def test_pings_keep_a_silent_client(daemon, session):
    fanout = daemon("ws-fanout", WS_PING_MS=1000)
    clients = SocketIo(f"http://{fanout.ws_listen}")
    for name, transports in TRANSPORTS.items():
        clients.connect(name, session().token, transports=transports)
        clients.wait(name, "event", event="welcome")
    with pytest.raises(AssertionError):
        clients.wait("polling", "disconnect", timeout=3)
    assert not [each for each in clients.seen if each["what"] == "disconnect"]
    clients.close()
    wait_until(lambda: fanout.metric("mayday_ws_connections") == 0)


# ---- what no decent client does ----

def poll(fanout, method="GET", body=None, **query):
    query = {"EIO": "4", "transport": "polling"} | query
    return requests.request(method, f"http://{fanout.ws_listen}/socket.io/", params=query,
                            data=body, timeout=10)


def opened(fanout):
    answer = poll(fanout)
    assert answer.status_code == 200 and answer.text[0] == "0"
    return json.loads(answer.text[1:])["sid"]


@pytest.mark.parametrize("query, code", [
    ({"EIO": "3"}, 5), ({"EIO": ""}, 5), ({"transport": "soap"}, 0), ({"transport": "websocket"}, 0),
    ({"sid": "x"}, 1), ({"sid": "A" * 22}, 1)])
def test_bad_requests(fanout, query, code):
    answer = poll(fanout, **query)
    assert answer.status_code == 400 and answer.json()["code"] == code
    assert poll(fanout, "POST", b"40").json()["code"] == 2


@pytest.mark.parametrize("body", [
    b"", b"4", b"9", b"\x1e", b"45x", b"4" * 100, b"451-[\"a\",{\"_placeholder\":true,\"num\":0}]",
    b"bAAAA", b"\x00", b"4" + b"9" * 50, b"x" * 9000, b"40/" + b"n" * 99 + b","])
def test_bad_packets_end_the_session(fanout, body):
    sid = opened(fanout)
    assert poll(fanout, "POST", body, sid=sid).status_code in (200, 400)
    assert poll(fanout, sid=sid).status_code == 400
    assert fanout.alive()


def test_packets_that_are_refused_but_end_nothing(fanout, session):
    sid = opened(fanout)
    poll(fanout, "POST", b"40{\x1e42[\"early\"]\x1e41\x1e43[]\x1e6", sid=sid)
    assert "44{" in poll(fanout, sid=sid).text
    poll(fanout, "POST", b"40" + json.dumps({"token": session().token}).encode(), sid=sid)
    text = poll(fanout, sid=sid).text
    assert text.startswith("40{")
    poll(fanout, "POST", b"42{}\x1e42[]\x1e42[5]\x1e42[\"ping\",5]\x1e42\x1e427[\"ping\"]", sid=sid)
    wait_until(lambda: "437[" in poll(fanout, sid=sid).text)


def test_a_flood_of_packets_ends(fanout, session):
    sid = opened(fanout)
    poll(fanout, "POST", b"40" + json.dumps({"token": session().token}).encode(), sid=sid)
    assert poll(fanout, sid=sid).text.startswith("40")
    poll(fanout, "POST", b"\x1e".join([b"42[\"ping\"]"] * 400), sid=sid)
    assert poll(fanout, sid=sid).status_code == 400
