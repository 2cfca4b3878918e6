"""nginx in front: its own errors are in the one shape, and every request has an id."""

import re
import socket

import pytest
import requests

from lib.client import assert_error


@pytest.fixture
def front(stack):
    """The front with no daemon behind it."""
    stack.up("nginx")
    for name in ("auth-svc", "call-lifecycle", "ami-gateway", "ws-fanout", "crm-data-svc"):
        if (stack.run / "service" / name).exists():
            stack.stop(name)
    return stack


def test_it_is_alive(front):
    assert requests.get(front.url + "/healthz", timeout=5).json() == {"ok": True}


@pytest.mark.parametrize("path", ["/", "/api", "/api/nothing", "/healthz/x", "/metrics", "/readyz"])
def test_what_is_nobodys_is_not_found(front, path):
    assert_error(requests.get(front.url + path, timeout=5), 404, "not_found")


@pytest.mark.parametrize("path", [
    "/api/auth/me", "/.well-known/jwks.json", "/api/users", "/api/ami/users/status",
    "/api/redis/sessions/x", "/api/admin/redis/health", "/api/admin/audit", "/api/ami/calls",
    "/api/ami/calls/x/hold", "/api/admin/call-stats",
    "/api/admin/ami/connections", "/api/admin/ws/connections", "/api/crm/clients", "/ws"])
def test_a_daemon_that_is_away_is_said_to_be(front, path):
    answer = requests.get(front.url + path, timeout=5)
    assert_error(answer, 502, "bad_gateway")
    assert answer.headers["Retry-After"] == "1"


def test_a_body_that_is_too_large(front):
    answer = requests.post(front.url + "/api/users", data=b"x" * 1_100_000, timeout=5)
    assert_error(answer, 413, "payload_too_large")


def test_headers_that_are_too_large(front):
    answer = requests.get(front.url + "/api/users", headers={"X-Long": "x" * 20_000}, timeout=5)
    assert_error(answer, 431, "headers_too_large")


def test_an_address_that_is_too_long(front):
    assert_error(requests.get(front.url + "/" + "x" * 20_000, timeout=5), 414, "uri_too_long")


def test_what_is_no_request_is_refused_as_json(front):
    host, port = front.http.split(":")
    with socket.create_connection((host, int(port)), 5) as client:
        client.sendall(b"GET / HTTP/1.1\r\nBad\x01Name: x\r\n\r\n")
        answer = client.makefile("rb").read()
    assert answer.startswith(b"HTTP/1.1 400") and b'"code":"bad_request"' in answer


@pytest.mark.parametrize("sent, kept", [
    ("mine-1.2_3", True), ("a b", False), ("x" * 65, False), ("<x>", False)])
def test_a_decent_request_id_is_kept(front, sent, kept):
    answer = requests.get(front.url + "/nothing", headers={"X-Request-ID": sent}, timeout=5)
    given = answer.headers["X-Request-ID"]
    assert given == sent if kept else re.fullmatch("[0-9a-f]{32}", given)


def test_logins_from_one_address_are_held_back(front):
    answers = [requests.post(front.url + "/api/auth/login", json={}, timeout=5).status_code
               for _ in range(160)]
    assert answers[0] == 502 and 429 in answers
