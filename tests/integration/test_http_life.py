"""Time and load: slow clients, deadlines, pipelines, many connections, drain and end."""

import concurrent.futures
import os
import resource
import signal
import socket
import struct
import time

import pytest

from lib.client import assert_error
from lib.daemon import PORTS
from lib.process import wait_until
from lib.raw_http import RawHttp


@pytest.fixture
def probe(daemon):
    return daemon("http-probe", HTTP_REQUEST_DEADLINE_MS=700)


def drip(http, data, seconds):
    """A byte every 0.1 s; True when the server cut the connection meanwhile."""
    until = time.monotonic() + seconds
    for i in range(len(data)):
        if time.monotonic() > until:
            return False
        try:
            http.send(data[i:i + 1])
            http.socket.settimeout(0.1)
            if http.socket.recv(4096) == b"":
                return True
        except TimeoutError:
            continue
        except ConnectionError:
            return True
    return False


@pytest.mark.parametrize("data", [
    b"GET /static HTTP/1.1\r\nHost: h\r\nX: " + b"y" * 200,
    b"POST /json HTTP/1.1\r\nHost: h\r\nContent-Length: 200\r\n\r\n" + b"{" * 200,
    b"GET /" + b"s" * 200])
def test_slow_clients_are_cut(probe, data):
    with RawHttp(probe.listen) as http:
        assert drip(http, data, 15)
    assert probe.metric("mayday_http_connections_cut_total") >= 1
    assert probe.get("/static").status_code == 200


def test_descriptors_run_out(probe):
    """It says so, once, and goes on when there are some again."""
    limit = max(map(int, os.listdir(f"/proc/{probe.pid}/fd"))) + 6
    resource.prlimit(probe.pid, resource.RLIMIT_NOFILE, (limit, limit))
    crowd = [socket.create_connection((probe.host, PORTS["http-probe"])) for _ in range(40)]
    wait_until(lambda: "no descriptors left" in probe.log)
    for each in crowd:
        each.close()
    wait_until(lambda: probe.get("/static").status_code == 200)
    assert probe.log.count("no descriptors left") == 1


def test_slow_clients_hold_nobody_up(probe):
    slow = [RawHttp(probe.listen) for _ in range(100)]
    for http in slow:
        http.send("POST /json HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\n{")
    for _ in range(20):
        assert probe.get("/static", timeout=2).status_code == 200
    for http in slow:
        assert http.closed(10)
        http.socket.close()


def test_deadline(probe):
    begun = time.monotonic()
    assert_error(probe.get("/wait?ms=2000"), 504, "timeout")
    assert 0.6 < time.monotonic() - begun < 1.9
    assert probe.get("/wait?ms=100").status_code == 200
    name = "mayday_http_requests_under_way"
    assert wait_until(lambda: probe.metric(name) == 1, what="the late handler released it")
    assert any("status=504" in line and "level=info" in line for line in probe.log.splitlines())


def test_pipeline(probe):
    with RawHttp(probe.listen) as http:
        paths = [f"/items/{i}" if i % 3 else f"/wait?ms={i % 5}" for i in range(100)]
        http.send("".join(f"GET {path} HTTP/1.1\r\nHost: h\r\n\r\n" for path in paths))
        for i, path in enumerate(paths):
            reply = http.reply()
            assert reply.status == 200
            if path.startswith("/items"):
                assert reply.json["id"] == str(i)


def test_http_1_0(probe):
    with RawHttp(probe.listen) as http:
        http.send("GET /static HTTP/1.0\r\n\r\n")
        assert http.reply().status == 200
        assert http.closed()


def test_aborts_while_suspended(probe):
    for reset in (True, False):
        clients = [RawHttp(probe.listen) for _ in range(100)]
        for http in clients:
            http.send("GET /wait?ms=300 HTTP/1.1\r\nHost: h\r\n\r\n")
        time.sleep(0.1)
        for http in clients:
            if reset:
                http.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            http.socket.close()
    name = "mayday_http_connections"
    assert wait_until(lambda: probe.metric(name) == 1, what="all gone connections released")


def test_two_hundred_at_once(probe):
    def client(number):
        with RawHttp(probe.listen) as http:
            for i in range(20):
                reply = http.get(("/static", "/wait?ms=5", f"/items/{number}", "/big?bytes=50000")[i % 4])
                assert reply.status == 200
        return True

    with concurrent.futures.ThreadPoolExecutor(200) as pool:
        assert all(pool.map(client, range(200)))


def test_big_reply_to_a_slow_reader(probe):
    with RawHttp(probe.listen) as http:
        http.send("GET /big?bytes=5000000 HTTP/1.1\r\nHost: h\r\n\r\n")
        time.sleep(0.3)
        assert probe.get("/static", timeout=2).status_code == 200
        assert len(http.reply().body) == 5000000


def test_connection_limit(daemon):
    probe = daemon("http-probe", HTTP_CONNECTIONS_MAX=3)
    held = [RawHttp(probe.listen) for _ in range(3)]
    for http in held:
        assert http.get("/static").status == 200
    waiting = RawHttp(probe.listen)
    waiting.send("GET /static HTTP/1.1\r\nHost: h\r\n\r\n")
    held[0].socket.close()
    assert waiting.reply().status == 200
    for http in (*held[1:], waiting):
        http.socket.close()


def test_ipv6(daemon):
    probe = daemon("http-probe", until=None, HTTP_LISTEN="[::1]:18109")
    wait_until(lambda: RawHttp(probe.listen), what="listening")
    with RawHttp(probe.listen) as http:
        assert http.get("/items/1").json["client"] == "::1"


def test_taken_port(daemon, probe, tmp_path):
    second = daemon("http-probe", until=None, HTTP_LISTEN=probe.listen)
    assert second.process.wait(10) != 0
    assert f"HTTP_LISTEN {probe.listen}: address already in use" in second.log
    second.process = None  # its status was what this test is about


def test_drain(probe):
    idle, busy = RawHttp(probe.listen), RawHttp(probe.listen)
    assert idle.get("/static").status == 200
    busy.send("GET /wait?ms=500 HTTP/1.1\r\nHost: h\r\n\r\n")
    time.sleep(0.1)
    probe.signal(signal.SIGTERM)
    wait_until(lambda: "draining" in probe.log)
    with pytest.raises(ConnectionRefusedError):
        RawHttp(probe.listen)
    reply = idle.get("/static")
    assert reply.status == 503 and reply.code == "shutting_down"
    assert reply.headers["connection"].lower() == "close" and idle.closed()
    reply = busy.reply()
    assert reply.status == 200 and reply.headers["connection"].lower() == "close"
    assert probe.process.wait(5) == 0


def test_end_with_requests_that_never_finish(probe):
    """The drain gives up; nothing aborts, nothing is used after it was freed."""
    clients = [RawHttp(probe.listen) for _ in range(20)]
    for http in clients:
        http.send("GET /wait?ms=60000 HTTP/1.1\r\nHost: h\r\n\r\n")
    time.sleep(0.2)
    probe.signal(signal.SIGTERM)
    assert probe.process.wait(10) == 0
    for http in clients:
        http.socket.close()
