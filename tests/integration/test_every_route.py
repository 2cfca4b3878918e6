"""What every protected route of every daemon owes; proto/openapi.yaml says which there are."""

import re
import socket
import time
import uuid

import jwt
import pytest
import requests

from lib import openapi, tokens
from lib.client import assert_error
from lib.process import wait_until
from lib.services import SERVICES, settings


def operations(service, *, protected=True):
    """(method, path with values, operation) of those that this daemon serves."""
    return [(method, re.sub(r"{\w+}", "1700000000.1", path), operation)
            for method, path, operation in openapi.operations()
            if service in operation["tags"] and "x-listener" not in operation
            and not (protected and operation["x-permission"] == "public")]


def flags(operation):
    return operation.get("x-flags", ())


def with_body(service):
    return [(method, path) for method, path, operation in operations(service, protected=False)
            if "json_body" in flags(operation)]


def ask(one, method, path, operation=None, **options):
    if operation and "json_body" in flags(operation) and "data" not in options:
        options["json"] = {}
    return requests.request(method, one.url + path, timeout=10, **options)


@pytest.fixture(params=SERVICES)
def one(request, daemon):
    """Each daemon in turn, up, whether or not it is ready."""
    service = request.param
    made = daemon(service, until="sees_redis", **settings(service, request))
    made.service = service
    return made


def unsigned(session):
    claims = jwt.decode(session.token, options={"verify_signature": False})
    return jwt.encode(claims, None, algorithm="none")


def bad_tokens(session):
    """Name -> Authorization header (None: none) that must not pass, for a session that is alive."""
    def made(role=session.role, **changes):
        return "Bearer " + tokens.token(session.id, role, session.extension, session.username,
                                        **changes)
    good = session.token
    return {
        "nothing": None, "another scheme": "Basic dXNlcjpwYXNz", "no token": "Bearer ",
        "garbage": "Bearer garbage", "two parts": "Bearer a.b", "four parts": f"Bearer {good}.x",
        "cut": f"Bearer {good[:-4]}", "8000 bytes": "Bearer " + "a" * 8000,
        "alg none": f"Bearer {unsigned(session)}", "expired": made(lifetime=-3600),
        "another key": made(key="another-secret-of-at-least-32-bytes-0123"),
        "another algorithm": made(algorithm="HS512"),
        "another audience": made(aud="somebody-else"), "no audience": made(aud=None),
        "another issuer": made(iss="somebody-else"), "no expiry": made(exp=None),
        "not yet": made(nbf=int(time.time()) + 3600), "no session": made(sid=None),
        "a session that never was": made(sid=uuid.uuid4().hex),
        "somebody else's session": made(sub="u-somebody-else"),
        "a greater role": made(role="emperor"),
    }


def test_no_route_opens_to_a_bad_token(one, session):
    for name, value in bad_tokens(session("superuser", "1001")).items():
        for method, path, operation in operations(one.service):
            headers = {"Authorization": value} if value else {}
            response = ask(one, method, path, operation, headers=headers)
            assert response.status_code == 401, f"{name}: {method} {path}: {response.text}"
            assert response.headers["WWW-Authenticate"].startswith("Bearer"), name
            assert set(response.json()["error"]) <= {"code", "message", "details"}


def test_a_revoked_session_is_refused_at_once(one, session):
    caller = session("superuser")
    caller.revoke()
    for method, path, operation in operations(one.service):
        assert_error(ask(one, method, path, operation, headers=caller.headers), 401,
                     "session_revoked")


def test_a_route_asks_for_its_permission(one, session):
    agent = session("agent")
    agents_own = {"public", "session", "make_calls", "transfer_calls", "record_calls", "view_calls",
                  "view_clients", "edit_clients"}
    for method, path, operation in operations(one.service):
        if operation["x-permission"] not in agents_own:
            response = ask(one, method, path, operation, headers=agent.headers)
            assert_error(response, 403, "forbidden")
            assert response.json()["error"]["details"] == {"permission": operation["x-permission"]}


def test_the_role_is_the_session_s_not_the_token_s(one, session):
    """A token of an agent that claims more than its session has."""
    agent = session("agent")
    forged = {"Authorization": "Bearer " + tokens.token(agent.id, "superuser", agent.extension,
                                                        agent.username)}
    for method, path, operation in operations(one.service):
        if operation["x-permission"] in ("view_admin", "manage_users", "manage_agents"):
            response = ask(one, method, path, operation, headers=forged)
            assert response.status_code in (401, 403), response.text


def test_calls_need_a_live_ami_session(one, session):
    without = session("superuser", ami=False)
    for method, path, operation in operations(one.service):
        if "ami_session" in flags(operation):
            assert_error(ask(one, method, path, operation, headers=without.headers), 403,
                         "ami_session_required")


BAD_BODIES = {
    "nothing": b"", "half": b'{"to": "10', "an array": b"[]", "a string": b'"x"', "null": b"null",
    "two values": b"{}{}", "a comma too many": b'{"a": 1,}', "a comment": b"{} // x",
    "not UTF-8": b'{"to": "\xff\xfe"}', "a NUL": b'{"to": "10\0"}',
    "deep": b'{"a":' * 2000 + b"1" + b"}" * 2000, "bare control": b'{"to": "a\nb"}',
}


def test_a_body_must_be_a_json_object(one, session):
    caller = session("superuser")
    for name, body in BAD_BODIES.items():
        for method, path in with_body(one.service):
            response = ask(one, method, path, data=body, headers={
                **caller.headers, "Content-Type": "application/json"})
            assert response.status_code == 400, f"{name}: {method} {path}: {response.text}"
            assert_error(response, 400, "invalid_json")


def test_a_body_must_say_that_it_is_json(one, session):
    for method, path in with_body(one.service):
        for kind in ("text/plain", "application/x-www-form-urlencoded", "application/jsonx"):
            response = ask(one, method, path, data=b"{}", headers={
                **session("superuser").headers, "Content-Type": kind})
            assert_error(response, 415, "unsupported_media_type")


def chunks():
    for _ in range(160):
        yield b" " * 65536


@pytest.mark.parametrize("body", (b" " * 10_000_000, chunks), ids=("length", "chunks"))
def test_ten_megabytes_are_refused(one, session, body):
    for method, path in with_body(one.service)[:2]:
        try:
            response = ask(one, method, path, data=body() if callable(body) else body, headers={
                **session("superuser").headers, "Content-Type": "application/json"})
        except requests.ConnectionError:
            continue  # it closed while we were still sending: refused as well
        assert_error(response, 413, "payload_too_large")
    assert one.alive()


def test_what_is_not_there_is_told(one):
    assert_error(ask(one, "GET", "/api/nothing"), 404, "not_found")
    assert_error(ask(one, "GET", "/"), 404, "not_found")
    response = ask(one, "PATCH", "/healthz")
    assert_error(response, 405, "method_not_allowed")
    assert "GET" in response.headers["Allow"]
    assert_error(ask(one, "GET", "/" + "a" * 5000), 414, "uri_too_long")


def raw(one, request, timeout=10):
    """What comes back for these bytes until the daemon closes."""
    with socket.create_connection((one.host, int(one.listen.rsplit(":")[-1])), timeout) as peer:
        peer.sendall(request)
        answer = b""
        try:
            while chunk := peer.recv(65536):
                answer += chunk
                if b"\r\n\r\n" in answer and b"}" in answer:
                    break
        except ConnectionResetError:
            pass
        return answer


BAD_REQUESTS = {
    "NUL in the path": b"GET /api/%00 HTTP/1.1\r\nHost: x\r\n\r\n",
    "CR LF in the path": b"GET /api/a%0d%0ab HTTP/1.1\r\nHost: x\r\n\r\n",
    "a bad escape": b"GET /api/%zz HTTP/1.1\r\nHost: x\r\n\r\n",
    "not UTF-8": b"GET /api/%ff%fe HTTP/1.1\r\nHost: x\r\n\r\n",
    "no host": b"GET /healthz HTTP/1.1\r\n\r\n",
    "two lengths": b"POST /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n"
                   b"Content-Length: 2\r\n\r\n{}",
    "length and chunks": b"POST /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n"
                         b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
}


@pytest.mark.parametrize("name", BAD_REQUESTS)
def test_a_malformed_request_is_refused(one, name):
    answer = raw(one, BAD_REQUESTS[name])
    assert not answer or re.match(rb"HTTP/1\.1 4\d\d ", answer), answer
    assert one.alive()


def test_slow_clients_hinder_nobody(one, session):
    port = int(one.listen.rsplit(":")[-1])
    slow = [socket.create_connection((one.host, port)) for _ in range(50)]
    for peer in slow:
        peer.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Slow: ")
    started = time.monotonic()
    for _ in range(20):
        assert one.alive()
    assert time.monotonic() - started < 5
    for peer in slow:
        peer.close()


def test_a_slow_request_has_a_deadline(one):
    """Bytes that trickle in keep no connection open for ever (the default is 5 s)."""
    peer = socket.create_connection((one.host, int(one.listen.rsplit(":")[-1])))
    peer.settimeout(0.5)
    peer.sendall(b"POST /healthz HTTP/1.1\r\nHost: x\r\nX-Slow: ")

    def closed():
        try:
            peer.sendall(b"a")
            return peer.recv(1000) is not None
        except TimeoutError:
            return False
        except OSError:
            return True
    wait_until(closed, 30, "an answer or the end of the connection")
    peer.close()


def test_redis_away_means_503_soon(one, session, redis_server):
    caller = session("superuser")
    redis_server.sigstop()
    try:
        for method, path, operation in operations(one.service)[:4]:
            started = time.monotonic()
            response = ask(one, method, path, operation, headers=caller.headers)
            assert_error(response, 503, "unavailable")
            assert int(response.headers["Retry-After"]) >= 1
            assert time.monotonic() - started < 5
        assert one.alive()
        wait_until(lambda: not one.ready(), what="/readyz to say that Redis is away")
    finally:
        redis_server.sigcont()
    wait_until(lambda: one.get("/readyz").json()["dependencies"]["redis"]["ok"],
               what="Redis to be back")
