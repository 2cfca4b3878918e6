"""What may come over a socket to any of our HTTP servers: each bad thing is a clear 4xx in the one
error shape, or a cut, and the server serves on."""

import json

import pytest

from lib.raw_http import RawHttp


@pytest.fixture
def probe(daemon):
    probe = daemon("http-probe", HTTP_BODY_MAX=65536)
    yield probe
    with RawHttp(probe.listen) as http:
        assert http.get("/static").status == 200
    assert probe.metric("mayday_http_requests_under_way") == 1  # this one


@pytest.fixture
def http(probe):
    with RawHttp(probe.listen) as http:
        yield http


def assert_error(reply, status, code):
    assert reply.status == status, (reply.status, reply.body)
    assert reply.headers["content-type"] == "application/json"
    error = reply.json["error"]
    assert error["code"] == code, error
    assert error["message"] and set(error) <= {"code", "message", "details"}


BAD_TARGETS = [
    "/static%00x", "/static%0d%0aX:%20y", "/items/%zz", "/items/%", "/items/%f", "/items/%ff",
    "/items/%c0%af", "/items/%7f", "/items/a\x01b", "/items/\xe9", "/items/a#b", "static",
    "http://h/static", "/items/1?q=%0a", "/items/1?q=1&q=2", "/items/1?=1", "/items/1?q=%",
    "/" + "a/" * 20]


def test_bad_targets(http):
    for target in BAD_TARGETS:
        assert_error(http.get(target), 400, "bad_request")
        assert http.get("/static").status == 200  # on the same connection


def test_long_target(http):
    assert_error(http.get("/items/" + "a" * 5000), 414, "uri_too_long")


def test_endless_head(probe):
    for head in ("GET /" + "a" * 100000, "GET / HTTP/1.1\r\nHost: h\r\nX: " + "a" * 100000):
        with RawHttp(probe.listen) as http:
            try:
                http.send(head)
                assert http.reply().status in (400, 413, 414, 431)
            except (EOFError, ConnectionError):
                pass


AMBIGUOUS_HEADS = [
    "GET /static HTTP/1.1\r\n",
    "GET /static HTTP/1.1\r\nHost:\r\n",
    "GET /static HTTP/1.1\r\nHost: a\r\nHost: b\r\n",
    "POST /json HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nContent-Length: 3\r\n",
    "POST /json HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n",
    "POST /json HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nContent-Length: 2\r\n",
    "POST /json HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip, chunked\r\n",
    "POST /json HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n",
    "POST /json HTTP/1.1\r\nHost: h\r\nContent-Length: +2\r\n",
    "POST /json HTTP/1.1\r\nHost: h\r\nContent-Length: 2,2\r\n",
    "POST /json HTTP/1.0\r\nTransfer-Encoding: chunked\r\n",
    "POST /json HTTP/1.1\r\nHost: h\r\nContent-Length : 2\r\n",
    "GET /static HTTP/1.1\r\nHost: h\r\nAuthorization: a\r\nAuthorization: b\r\n",
    "GET /static HTTP/1.1\r\nHost: h\r\nX: a\x01b\r\n",
    "GET /static HTTP/1.1\r\nHost: h\r\nX[]: a\r\n",
    "GET /static HTTP/1.1\r\nHost: h\r\n" + "".join(f"X-{i}: y\r\n" for i in range(70)),
    "THISMETHODISLONGERTHANANY /static HTTP/1.1\r\nHost: h\r\n",
]


def test_heads_that_could_be_read_in_two_ways(probe):
    """The connection ends: what follows on it may be anything."""
    for head in AMBIGUOUS_HEADS:
        with RawHttp(probe.listen) as http:
            http.send(head + "\r\n{}")
            try:
                reply = http.reply()
            except (EOFError, ConnectionError):
                continue  # libmicrohttpd cut it by itself
            assert reply.status == 400, head
            if reply.headers.get("content-type") == "application/json":
                assert_error(reply, 400, "bad_request")
            assert http.closed(), head


NOT_HTTP = [
    b"\x00" * 1000, b"\xff\xfe\r\n\r\n", b"\r\n\r\n\r\n", b"GET\r\n\r\n", b"GET /static\r\n\r\n",
    b"GET /static HTTP/9.9\r\nHost: h\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 500]


def test_not_http(daemon):
    probe = daemon("http-probe", HTTP_REQUEST_DEADLINE_MS=300)
    for data in NOT_HTTP:
        with RawHttp(probe.listen) as http:
            http.send(data)
            http.socket.shutdown(1)
            assert http.closed(), data


def test_methods(http):
    reply = http.get("/items/1", method="POST")
    assert_error(reply, 405, "method_not_allowed")
    assert reply.headers["allow"] == "GET, HEAD, PUT, DELETE, OPTIONS"
    assert_error(http.get("/nothing"), 404, "not_found")
    assert_error(http.get("/items/1/"), 404, "not_found")
    assert_error(http.get("/items/"), 404, "not_found")
    assert_error(http.get("/nothing", method="OPTIONS"), 404, "not_found")
    reply = http.get("/items/1", method="OPTIONS")
    assert reply.status == 204 and reply.headers["allow"] == "GET, HEAD, PUT, DELETE, OPTIONS"
    assert "content-length" not in reply.headers
    assert http.get("/items/1", method="DELETE").status == 204
    reply = http.get("/items/1", method="HEAD")
    assert reply.status == 200 and int(reply.headers["content-length"]) > 0
    assert_error(http.get("/items/1", method="get"), 405, "method_not_allowed")


def test_decodes_once_and_prefers_literals(http):
    reply = http.get("/items/a%2Fb%2525%20c?q=1+2%26")
    assert reply.json["id"] == "a/b%25 c" and reply.json["q"] == "1 2&"
    assert reply.json["route"] == "/items/{id}" and reply.json["path"] == "/items/a%2Fb%2525%20c"
    assert http.get("/items/special").json["route"] == "/items/special"
    assert http.get("/items/%73pecial").json["route"] == "/items/special"


def test_json_bodies(http):
    assert http.post("/json", '{"name": "caf\\u00e9"}').json["name"] == "café"
    typed = "Content-Type: Application/JSON ; charset=utf-8\r\n"
    assert http.post("/json", '{"name": "x"}', typed).json["name"] == "x"
    for body in ("{", "", "nonsense", '{"a":1}{', b'{"a":"\xff"}', '{"a":1} x', "[" * 50 + "]" * 50,
                 '{"a":' * 100 + "1" + "}" * 100, '{"a":"\x01"}', "[1]", '"text"', "null", "12"):
        assert_error(http.post("/json", body), 400, "invalid_json")
    for kind in ("", "Content-Type: text/plain\r\n", "Content-Type: application/jsonx\r\n",
                 "Content-Type: multipart/form-data; boundary=x\r\n"):
        assert_error(http.post("/json", "{}", kind), 415, "unsupported_media_type")


def test_body_at_the_cap(http):
    body = json.dumps({"name": "x" * 65000})
    body += " " * (65536 - len(body))
    assert http.post("/json", body).status == 200
    assert_error(http.post("/json", body + " "), 413, "payload_too_large")
    assert http.get("/static").status == 200


def test_ten_megabytes(http):
    assert_error(http.post("/json", b"x" * 10_000_000), 413, "payload_too_large")
    assert http.get("/static").status == 200


def chunks(body, size):
    for i in range(0, len(body), size):
        yield b"%x\r\n%s\r\n" % (len(body[i:i + size]), body[i:i + size])
    yield b"0\r\n\r\n"


CHUNKED = ("POST /json HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n"
           "Transfer-Encoding: chunked\r\n\r\n")


def test_chunked(http):
    http.send(CHUNKED)
    for chunk in chunks(b'{"name": "in pieces"}', 3):
        http.send(chunk)
    assert http.reply().json["name"] == "in pieces"
    http.send(CHUNKED)
    http.send(b"".join(chunks(b"y" * 3_000_000, 10000)))
    assert_error(http.reply(), 413, "payload_too_large")
    assert http.get("/static").status == 200


BAD_CHUNKS = [b"zz\r\n{}\r\n", b"-2\r\n{}\r\n", b"2\r\n{}xx\r\n0\r\n\r\n",
              b"ffffffffffffffffff\r\n{}"]


def test_bad_chunks(probe):
    for data in BAD_CHUNKS:
        with RawHttp(probe.listen) as http:
            http.send(CHUNKED.encode() + data)
            try:
                assert http.reply().status in (400, 413), data
            except (EOFError, ConnectionError):
                pass
            assert http.closed(), data


def test_hundred_megabytes_are_not_read_to_the_end(probe):
    with RawHttp(probe.listen) as http:
        http.send("POST /json HTTP/1.1\r\nHost: h\r\nContent-Length: 104857600\r\n\r\n")
        assert_error(http.reply(), 413, "payload_too_large")
        assert http.closed()


def test_bodies_together_are_bounded(daemon):
    probe = daemon("http-probe", HTTP_BODY_MAX=64 * 2**20, HTTP_REQUEST_DEADLINE_MS=30000)
    head = ("POST /json HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n"
            f"Content-Length: {40 * 2**20}\r\n\r\n").encode()
    with RawHttp(probe.listen) as first:
        first.send(head + b" " * (40 * 2**20 - 1))
        with RawHttp(probe.listen) as second:
            second.send(head + b" " * (40 * 2**20))
            assert_error(second.reply(), 503, "unavailable")
            assert second.get("/static").status == 200
        first.send(b"x")
        assert_error(first.reply(), 400, "invalid_json")
        first.send(head + b" " * (40 * 2**20 - 2) + b"{}")
        assert first.reply().status == 200


def test_expect_is_answered_before_the_body(http):
    head = ("POST /json HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n"
            "Content-Type: application/json\r\nContent-Length: ")
    http.send(head + "2\r\n\r\n")
    assert http.reply().status == 100
    http.send("{}")
    assert http.reply().status == 200
    http.send(head + "70000\r\n\r\n")
    assert_error(http.reply(), 413, "payload_too_large")


def test_body_on_a_get_is_ignored(http):
    http.send("GET /static HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello")
    assert http.reply().status == 200
    assert http.get("/static").status == 200


BAD_PAGES = ["limit=0", "limit=201", "limit=-1", "limit=x", "limit=1x",
             "limit=", "limit=0050", "cursor=", "cursor=a%20b", "cursor=a/b",
             "cursor=" + "a" * 201]


def test_bad_pages(http):
    for query in BAD_PAGES:
        assert_error(http.get(f"/page?{query}"), 400, "bad_request")


def test_pages(http):
    assert http.get("/page").json == {"limit": 50, "cursor": ""}
    assert http.get("/page?limit=200&cursor=17-2").json == {"limit": 200, "cursor": "17-2"}


def test_nothing_that_was_sent_is_logged(probe, http):
    http.get("/items/secret-path?q=secret-query", "Authorization: Bearer secret-token\r\n")
    http.get("/secret-nowhere")
    assert "secret" not in probe.log
    assert "secret" not in probe.get("/metrics").text
