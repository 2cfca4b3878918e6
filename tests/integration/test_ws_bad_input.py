"""ws-fanout against clients that break the rules, byte by byte. Nobody else notices."""

import json
import time

import pytest

from lib.process import wait_until
from lib.raw_websocket import RawSocket, frame, request

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10


@pytest.fixture
def fanout(daemon):
    return daemon("ws-fanout", WS_ORIGINS="https://crm.example https://b.example")


@pytest.fixture
def raw(fanout):
    """raw() -> a socket; the daemon must still be well at the end."""
    made = []

    def make(**options):
        made.append(RawSocket(fanout.ws_listen, **options))
        return made[-1]
    yield make
    for one in made:
        one.close()
    assert fanout.alive()
    wait_until(lambda: fanout.metric("mayday_ws_connections") == 0)


def known(raw, session, role="agent"):
    """A raw socket whose client is known."""
    socket = raw().open()
    socket.send(frame(TEXT, json.dumps({"type": "auth", "token": session(role).token}).encode()))
    opcode, payload = socket.frame()
    assert (opcode, json.loads(payload)["type"]) == (TEXT, "welcome")
    return socket


# ---- the handshake ----

@pytest.mark.parametrize("status, head", [
    (400, b"\r\n\r\n"),
    (400, b"GET /ws HTTP/1.1\r\n\r\n"),
    (400, b"GET /ws HTTP/1.0\r\nHost: x\r\n\r\n"),
    (400, b"GET /ws HTTP/1.1\nHost: x\n\n\r\n\r\n"),
    (400, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"),
    (400, request(Sec_WebSocket_Key="short")),
    (400, request(Sec_WebSocket_Key=None)),
    (400, request(Upgrade=None)),
    (400, request(Connection="close")),
    (400, request(Content_Length="5")),
    (400, request(Transfer_Encoding="chunked")),
    (400, request(Sec_WebSocket_Protocol="soap")),
    (400, request(X="\x00")),
    (404, request(path="/other")),
    (404, request(path="/ws/../ws")),
    (405, request().replace(b"GET", b"POST")),
    (426, request(Sec_WebSocket_Version="8")),
    (431, request(X="x" * 10000)),
    (431, b"GET /ws HTTP/1.1\r\nHost: x\r\n" + b"X: y\r\n" * 20000),
    (403, request(Origin="https://evil.example")),
    (403, request(Origin="null")),
])
def test_handshakes_that_are_refused(raw, status, head):
    socket = raw().send(head)
    answer = socket.head()
    assert answer.startswith(f"HTTP/1.1 {status} "), answer
    assert socket.gone_within(5)
    error = json.loads(socket.buffer)["error"]
    assert error["code"] and error["message"]


@pytest.mark.parametrize("headers", [
    {}, {"Origin": "https://crm.example"}, {"Origin": "http://test"},
    {"Sec_WebSocket_Protocol": "x, mayday.v1"}, {"Connection": "keep-alive, upgrade"},
])
def test_handshakes_that_pass(raw, headers):
    raw().open(**headers)


def test_a_handshake_byte_by_byte_with_a_message_behind_it(raw, session):
    message = frame(TEXT, json.dumps({"type": "auth", "token": session().token}).encode())
    socket = raw()
    for byte in request():
        socket.send(bytes([byte]))
    assert socket.head().startswith("HTTP/1.1 101 ")
    together = raw().send(request() + message)
    assert together.head().startswith("HTTP/1.1 101 ")
    assert json.loads(together.frame()[1])["type"] == "welcome"


def test_slow_handshakes_end(raw):
    sockets = [raw() for _ in range(5)]
    for number, socket in enumerate(sockets):
        socket.send(request()[:number * 10])
    for _ in range(4):
        time.sleep(1)
        sockets[4].send(b"x")  # a byte a second keeps nobody in
    started = time.monotonic()
    assert all(socket.gone_within(10) for socket in sockets)
    assert time.monotonic() - started < 9


def test_a_client_that_shuts_its_half_down_still_gets_its_answer(raw):
    socket = raw().send(request(path="/other"))
    socket.socket.shutdown(1)
    assert socket.head().startswith("HTTP/1.1 404 ")


def test_more_connections_than_allowed(daemon):
    fanout = daemon("ws-fanout", WS_CONNECTIONS_MAX=3)
    sockets = [RawSocket(fanout.ws_listen).open() for _ in range(3)]
    extra = RawSocket(fanout.ws_listen)
    assert extra.head().startswith("HTTP/1.1 503 ")
    sockets[0].close()
    wait_until(lambda: fanout.metric("mayday_ws_connections") < 3)
    RawSocket(fanout.ws_listen).open()


# ---- frames ----

@pytest.mark.parametrize("code, data", [
    (1002, frame(TEXT, b"{}", masked=False)),
    (1002, frame(TEXT, b"{}", rsv=4)),
    (1002, frame(3, b"{}")),
    (1002, frame(11, b"{}")),
    (1002, frame(0, b"nothing to continue")),
    (1002, frame(TEXT, b"{", fin=False) + frame(TEXT, b"}")),
    (1002, frame(PING, b"x", fin=False)),
    (1002, frame(CLOSE, b"\x03\xe8", fin=False)),
    (1002, frame(PING, b"x" * 126)),
    (1002, frame(CLOSE, b"x")),
    (1002, frame(CLOSE, b"\x03\xed")),
    (1007, frame(CLOSE, b"\x03\xe8\xff")),
    (1007, frame(TEXT, b"\xc3\x28")),
    (1007, frame(TEXT, b"\xf4\x90\x80\x80")),
    (1007, frame(TEXT, b"\xe2\x82", fin=False) + frame(0, b"\x41")),
    (1003, frame(BINARY, b"{}")),
    (1008, frame(TEXT, b"", fin=False) + frame(0, b"", fin=False) * 2000),
    (1009, frame(TEXT, b"x" * 70000)),
    (1009, frame(TEXT, b"x" * 60000, fin=False) + frame(0, b"x" * 60000)),
    (1009, b"\x81\xff" + (1 << 40).to_bytes(8, "big") + b"abcdx"),
    (1002, b"\x81\xff" + b"\xff" * 8 + b"abcd"),
])
def test_breaches_end_with_their_code(raw, fanout, session, code, data):
    socket = known(raw, session)
    socket.send(data)
    assert socket.close_code() == code
    assert fanout.metric("mayday_ws_breaches_total") == 1


def test_a_large_first_message_is_not_read(raw):
    socket = raw().open()
    socket.send(frame(TEXT, b"x" * 9000))
    assert socket.close_code() == 1009


def test_a_stream_of_megabytes_after_a_breach(raw, session):
    socket = known(raw, session)
    try:
        for _ in range(200):
            socket.send(frame(TEXT, b"x" * 100000))
    except (BrokenPipeError, ConnectionResetError):
        pass
    assert socket.close_code() in (1009, None)


def test_control_frames_between_fragments(raw, session):
    socket = known(raw, session)
    socket.send(frame(TEXT, b'{"type":', fin=False) + frame(PING, b"a")
                + frame(0, b'"ping"', fin=False) + frame(PING, b"b" * 125)
                + frame(PONG, b"unasked") + frame(0, b"}"))
    answers = [socket.frame() for _ in range(3)]
    assert [payload for opcode, payload in answers if opcode == PONG] == [b"a", b"b" * 125]
    assert [json.loads(payload)["type"] for opcode, payload in answers if opcode == TEXT] == ["pong"]


def test_a_close_is_answered(raw, session):
    for payload in (b"", b"\x03\xe8", b"\x0b\xb8going \xc3\xbc"):
        socket = known(raw, session)
        socket.send(frame(CLOSE, payload) + frame(TEXT, b"after the end"))
        assert socket.frame() == (CLOSE, payload)
        assert socket.gone_within(5)


def test_cut_in_the_middle_of_everything(raw, session):
    whole = request() + frame(TEXT, json.dumps({"type": "auth", "token": session().token}).encode())
    for length in range(1, len(whole), 37):
        raw().send(whole[:length]).close()


# ---- messages ----

@pytest.mark.parametrize("text, code", [
    (b"", "bad_message"), (b"{", "bad_message"), (b"[]", "bad_message"), (b"5", "bad_message"),
    (b"null", "bad_message"), (b"{} {}", "bad_message"), (b"\x00", "bad_message"),
    (b"[" * 5000, "bad_message"), (b'{"a":' * 1000, "bad_message"),
    (b"{}", "unknown_type"), (b'{"type":5}', "unknown_type"), (b'{"type":"x"}', "unknown_type"),
    (b'{"type":"subscribe"}', "bad_message"),
    (b'{"type":"subscribe","topics":"call"}', "bad_message"),
    (b'{"type":"subscribe","topics":[]}', "bad_message"),
    (b'{"type":"subscribe","topics":[5]}', "bad_message"),
    (b'{"type":"subscribe","topics":["call"],"extensions":{}}', "bad_message"),
    (b'{"type":"subscribe","topics":["call"],"since":["x"]}', "bad_message"),
    (b'{"type":"subscribe","topics":' + json.dumps(["call"] * 17).encode() + b"}", "bad_message"),
    (b'{"type":"ping","id":5}', "bad_message"),
    (b'{"type":"ping","id":"' + b"x" * 65 + b'"}', "bad_message"),
    (b'{"type":"auth"}', "bad_message"),
    (b'{"type":"auth","token":"a","ticket":"b"}', "bad_message"),
    (b'{"type":"auth","token":5}', "bad_message"),
    (b'{"type":"auth","token":"' + b"x" * 5000 + b'"}', "bad_message"),
])
def test_messages_that_are_not_obeyed(raw, session, text, code):
    socket = known(raw, session)
    socket.send(frame(TEXT, text))
    answer = json.loads(socket.frame()[1])
    assert (answer["type"], answer["code"]) == ("error", code)
    socket.send(frame(TEXT, b'{"type":"ping"}'))
    assert json.loads(socket.frame()[1])["type"] == "pong"


@pytest.mark.parametrize("message", [
    frame(TEXT, b'{"type":"subscribe","topics":["call"]}'), frame(PING), frame(TEXT, b"x")])
def test_a_flood_of_messages_ends(raw, session, message):
    socket = known(raw, session)
    try:
        socket.send(message * 100000)
    except (BrokenPipeError, ConnectionResetError):
        pass
    assert socket.close_code() in (4429, None)


def test_more_rooms_than_allowed(raw, session):
    socket = known(raw, session, "manager")
    answer = {}
    for first in range(0, 320, 64):
        socket.send(frame(TEXT, json.dumps({
            "type": "subscribe", "topics": ["call"],
            "extensions": [str(5000 + first + n) for n in range(64)]}).encode()))
        answer = json.loads(socket.frame()[1])
    assert {each["code"] for each in answer["refused"]} == {"too_many"}
    assert len(answer["topics"][0]["extensions"]) <= 257


def test_a_client_that_does_not_answer_pings_is_cut(daemon, session):
    fanout = daemon("ws-fanout", WS_PING_MS=1000)
    silent = RawSocket(fanout.ws_listen).open()
    silent.send(frame(TEXT, json.dumps({"type": "auth", "token": session().token}).encode()))
    answers = RawSocket(fanout.ws_listen).open()
    answers.send(frame(TEXT, json.dumps({"type": "auth", "token": session().token}).encode()))
    deadline, pings = time.monotonic() + 7, 0
    while time.monotonic() < deadline:
        opcode, _ = answers.frame()
        if opcode == PING:
            answers.send(frame(PONG))
            pings += 1
    assert pings >= 4
    assert silent.gone_within(1)
    assert fanout.metric("mayday_ws_gone_total") == 1
