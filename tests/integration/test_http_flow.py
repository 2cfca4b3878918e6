"""The way of a request through authentication, permission, AMI session, guard and idempotency to
its handler, and what its reply and its log line carry."""

import concurrent.futures
import time

import pytest

from lib.client import assert_error

AGENT, ADMIN = {"Authorization": "Bearer agent"}, {"Authorization": "Bearer admin"}
NO_AMI = {"Authorization": "Bearer agent-without-ami"}


@pytest.fixture
def probe(daemon):
    return daemon("http-probe", HTTP_REQUEST_DEADLINE_MS=1000)


def test_chain(probe):
    reply = probe.get("/session")
    assert_error(reply, 401, "invalid_token")
    assert reply.headers["WWW-Authenticate"] == "Bearer"
    assert probe.get("/session", headers=AGENT).json()["user"] == "agent"
    reply = probe.get("/pbx", headers=AGENT)
    assert_error(reply, 403, "forbidden")
    assert reply.json()["error"]["details"] == {"permission": "manage_pbx"}
    assert probe.get("/pbx", headers=ADMIN).status_code == 200
    assert_error(probe.get("/calls/1001", headers=NO_AMI), 403, "ami_session_required")
    assert_error(probe.get("/calls/1002", headers=AGENT), 404, "not_found")
    assert probe.get("/calls/1001", headers=AGENT).json()["id"] == "1001"


def test_request_ids(probe):
    reply = probe.get("/static", headers={"X-Request-ID": "mine.1:2-3_4"})
    assert reply.headers["X-Request-ID"] == "mine.1:2-3_4"
    made = {probe.get("/static", headers={"X-Request-ID": bad}).headers["X-Request-ID"]
            for bad in ("a b", "a" * 65, "", "x;y")}
    assert len(made) == 4 and not made & {"a b", "a" * 65, "", "x;y"}
    probe.get("/nothing", headers={"X-Request-ID": "seen-in-log"})
    lines = [line for line in probe.log.splitlines() if "request_id=seen-in-log" in line]
    assert len(lines) == 1 and "status=404" in lines[0] and "method=GET" in lines[0]


def test_client_address(probe):
    peer = probe.get("/items/1").json()["client"]
    assert peer.startswith("127.")
    assert probe.get("/items/1", headers={"X-Real-IP": "8.8.4.4"}).json()["client"] == "8.8.4.4"
    assert probe.get("/items/1", headers={"X-Real-IP": "2001:db8::1"}).json()["client"] == "2001:db8::1"
    assert probe.get("/items/1", headers={"X-Real-IP": "evil\"x"}).json()["client"] == peer


def test_metrics(probe):
    for path in ("/items/1", "/items/2", "/nothing", "/elsewhere"):
        probe.get(path)
    assert probe.metric('mayday_http_requests_total{method="GET",route="/items/{id}",status="2xx"}') == 2
    assert probe.metric('mayday_http_requests_total{method="",route="",status="4xx"}') == 2
    assert probe.metric('mayday_http_request_seconds_count{method="GET",route="/items/{id}"}') == 2


def test_async_redis(probe, redis):
    redis.hset("call:1", mapping={"state": "held", "caller": "1001"})
    assert probe.get("/hash/call:1").json() == {"state": "held", "caller": "1001"}


def order(probe, key, body=None, user="agent", **options):
    return probe_post(probe, "/orders", body if body is not None else {}, key, user, **options)


def probe_post(probe, path, body, key, user, **options):
    import requests
    headers = {"Authorization": f"Bearer {user}"}
    if key is not None:
        headers["Idempotency-Key"] = key
    return requests.post(probe.url + path, json=body, headers=headers, timeout=10, **options)


def test_idempotency(probe, redis):
    first = order(probe, "k1")
    assert first.status_code == 201 and first.json() == {"order": 1}
    again = order(probe, "k1")
    assert (again.status_code, again.json()) == (201, {"order": 1})
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.headers["Content-Type"] == "application/json"
    assert "Idempotency-Replayed" not in first.headers
    assert_error(order(probe, "k1", {"other": 1}), 422, "idempotency_key_reused")
    assert order(probe, "k1", user="manager").json() == {"order": 2}  # keys are per user
    assert order(probe, None).json() == {"order": 3}
    assert 86000 < redis.ttl("cache:idempotency:agent:k1") <= 86400


def test_idempotency_keeps_refusals_but_not_failures(probe, redis):
    assert order(probe, "k4", {"status": 409}).status_code == 409
    assert order(probe, "k4", {"status": 409}).headers["Idempotency-Replayed"] == "true"
    for expected in (2, 3):
        reply = order(probe, "k5", {"status": 500})
        assert reply.status_code == 500 and reply.json()["error"]["message"] == f"order {expected}"
    assert not redis.exists("cache:idempotency:agent:k5")


@pytest.mark.parametrize("key", ["", "a b", "a" * 129, "x/y", "x\u00e9"])
def test_bad_keys(probe, key):
    assert_error(order(probe, key.encode("latin-1")), 400, "bad_request")


def test_idempotency_in_progress_and_once(probe, redis):
    body = {"ms": 400}
    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        replies = list(pool.map(lambda _: order(probe, "k6", body), range(20)))
    statuses = sorted(reply.status_code for reply in replies)
    assert statuses == [201] + [409] * 19
    assert {reply.json()["error"]["code"] for reply in replies if reply.status_code == 409} == \
        {"idempotency_in_progress"}
    assert order(probe, "k6", body).json() == {"order": 1}


def test_a_reply_after_the_deadline_is_kept(probe, redis):
    """The client saw 504, the work was done: its next try gets the result."""
    body = {"ms": 1500}
    assert_error(order(probe, "k7", body), 504, "timeout")
    assert_error(order(probe, "k7", body), 409, "idempotency_in_progress")
    time.sleep(1)
    reply = order(probe, "k7", body)
    assert (reply.status_code, reply.json()) == (201, {"order": 1})


def test_redis_away(probe, redis_server):
    """Refused within a second, and back by itself."""
    redis_server.kill9()
    try:
        for call in (lambda: probe.get("/hash/x"), lambda: order(probe, "k8")):
            begun = time.monotonic()
            reply = call()
            assert_error(reply, 503, "unavailable")
            assert reply.headers["Retry-After"] == "1" and time.monotonic() - begun < 2
        assert probe.get("/static").status_code == 200
    finally:
        redis_server.start()
    probe.wait_ready(probe.ready)
    assert order(probe, "k8").status_code == 201
