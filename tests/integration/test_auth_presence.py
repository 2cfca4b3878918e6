"""auth-svc: AMI sessions, who is available, what components keep in sessions, how Redis is."""

import json
import time

import pytest

from lib.client import assert_error
from lib.process import wait_until
from lib.who import AGENT_PASSWORD, NAME, PASSWORD, login, make_user, token_of


@pytest.fixture
def office(auth, database):
    """An auth-svc with ann at 1001, bob at 1002, mary who manages nobody yet, adam the admin; all
    have the superuser's password, whose hash is there already."""
    client = auth()
    client.root = token_of(client)
    for name, role, extension in (("ann", "agent", "1001"), ("bob", "agent", "1002"),
                                  ("mary", "manager", None), ("adam", "admin", None)):
        database.query(
            "INSERT INTO users (username, password_hash, role, extension, created_at, updated_at) "
            "SELECT %s, password_hash, %s, %s, 1, 1 FROM users WHERE username = %s",
            name, role, extension, NAME)
    return client


def as_user(client, name):
    return token_of(client, name, PASSWORD)


def status_of(client, extension, token):
    answer = client.get(f"/api/ami/users/{extension}/status", token=token)
    assert answer.status_code == 200, answer.text
    return answer.json()


def put_status(client, extension, token, status, **fields):
    return client.put(f"/api/ami/users/{extension}/status", {"status": status, **fields},
                      token=token)


def told(redis, stream="events:agent"):
    return [json.loads(fields["e"]) for _, fields in redis.xrange(stream)]


def presence(database, extension):
    rows = database.query("SELECT presence FROM user_presence WHERE extension = %s", extension)
    return rows[0]["presence"] if rows else None


# ---- AMI sessions

def test_the_ami_session_ends_and_begins_within_a_login(office, redis):
    token = as_user(office, "ann")
    key, = [key for key in redis.keys("session:*") if redis.hget(key, "username") == "ann"]
    assert office.delete("/api/ami/users/logout", token=token).status_code == 204
    assert redis.hget(key, "amiSessionId") == ""
    assert status_of(office, "1001", token)["status"] == "offline"
    assert_error(put_status(office, "1001", token, "break"), 403, "ami_session_required")
    again = office.post("/api/ami/users/login", {}, token=token)
    assert again.status_code == 200, again.text
    ami = again.json()["ami"]
    assert ami["extension"] == "1001" and ami["sessionId"] == redis.hget(key, "amiSessionId")
    assert office.post("/api/ami/users/login", {}, token=token).json()["ami"] == ami
    assert status_of(office, "1001", token)["status"] == "available"
    assert_error(office.post("/api/ami/users/login", {"extension": "1002"}, token=token), 403,
                 "extension_not_allowed")
    mary = as_user(office, "mary")
    moved = office.post("/api/ami/users/login", {"extension": "1009"}, token=mary)
    assert moved.json()["ami"]["extension"] == "1009"
    assert office.get("/api/auth/me", token=mary).json()["user"]["extension"] == "1009"


def test_a_user_is_bound_to_an_extension(office, redis):
    make_user(office, office.root, "carl")
    carl, adam = token_of(office, "carl", AGENT_PASSWORD), as_user(office, "adam")
    body = {"username": "carl", "extension": "1003"}
    assert_error(office.post("/api/ami/users/register", body, token=carl), 403, "forbidden")
    made = office.post("/api/ami/users/register", body, token=adam)
    assert made.status_code == 201 and made.json()["extension"] == "1003"
    assert_error(office.get("/api/auth/me", token=carl), 401, "session_revoked")
    assert office.post("/api/ami/users/register", body, token=adam).status_code == 200
    assert login(office, "carl", AGENT_PASSWORD).json()["ami"]["extension"] == "1003"
    for bad, code, status in ((("carl", "1001"), "extension_taken", 409),
                              (("nobody", "1009"), "user_not_found", 404),
                              ((NAME, "1009"), "role_not_allowed", 403)):
        answer = office.post("/api/ami/users/register",
                             dict(zip(("username", "extension"), bad)), token=adam)
        assert_error(answer, status, code)


# ---- status

def test_a_login_is_available_and_a_logout_is_offline(office, redis, database):
    listener = redis.pubsub(ignore_subscribe_messages=True)
    listener.subscribe("agent:status")
    listener.get_message(timeout=5)
    first, second = as_user(office, "ann"), as_user(office, "ann")
    assert status_of(office, "1001", first)["status"] == "available"
    wait_until(lambda: presence(database, "1001") == "available")
    entry = told(redis)[-1]
    assert entry["eventType"] == "agent:status_set" and entry["extensions"] == ["1001"]
    assert json.loads(wait_until(lambda: listener.get_message(timeout=1))["data"]) == entry
    assert office.post("/api/auth/logout", token=first).status_code == 204
    assert status_of(office, "1001", second)["status"] == "available"  # the other login lives
    assert office.post("/api/auth/logout", token=second).status_code == 204
    assert redis.hget("agent:1001", "availability") == "offline"
    wait_until(lambda: presence(database, "1001") == "offline")
    wishes = [json.loads(fields["w"]) for _, fields in redis.xrange("wishes:agent")]
    assert [(each["extension"], each["paused"], each["reason"]) for each in wishes] == \
        [("1001", False, "available"), ("1001", True, "offline")]


def test_an_agent_says_whether_it_takes_calls(office, redis, database):
    ann = as_user(office, "ann")
    for status in ("break", "lunch", "dnd", "wrap-up", "available", "offline", "available"):
        answer = put_status(office, "1001", ann, status, reason="because")
        assert answer.status_code == 200, answer.text
        assert answer.json()["status"] == status and answer.json()["reason"] == "because"
    put_status(office, "1001", ann, "dnd")
    wait_until(lambda: presence(database, "1001") == "dnd")
    assert "reason" not in status_of(office, "1001", ann)
    as_user(office, "ann")  # another login changes nothing
    assert status_of(office, "1001", ann)["status"] == "dnd"
    data = told(redis)[-1]["data"]
    assert data["availability"] == "dnd" and data["by"]
    for bad in ({"status": "away"}, {"status": 7}, {}, {"status": "break", "reason": "a\r\nb"},
                {"status": "break", "reason": "x" * 129}, {"status": "break", "until": 1}):
        assert office.put("/api/ami/users/1001/status", bad, token=ann).status_code == 400


def test_whose_status_is_seen_and_set(office, redis):
    ann, mary, adam = (as_user(office, name) for name in ("ann", "mary", "adam"))
    as_user(office, "bob")
    for path in ("/api/ami/users/1002/status", "/api/ami/users/9999/status"):
        assert_error(office.get(path, token=ann), 403, "not_own_extension")
        assert_error(office.put(path, {"status": "break"}, token=ann), 403, "not_own_extension")
    assert_error(office.get("/api/ami/users/status", token=ann), 403, "forbidden")
    assert_error(office.get("/api/ami/users/1002/status", token=mary), 403, "not_in_team")
    assert_error(put_status(office, "1002", mary, "break"), 403, "not_own_extension")
    assert office.get("/api/ami/users/status", token=mary).json()["agents"] == []
    users = {each["username"]: each["id"]
             for each in office.get("/api/users", token=office.root).json()["users"]}
    team = office.post("/api/users/teams", {"name": "North", "managers": [users["mary"]]},
                       token=office.root).json()["id"]
    office.put(f"/api/users/{users['bob']}", {"teamId": team}, token=office.root)
    wait_until(lambda: status_code(office, "/api/ami/users/1002/status", mary) == 200)
    listed = office.get("/api/ami/users/status", token=mary).json()["agents"]
    assert [each["extension"] for each in listed] == ["1002"]
    assert put_status(office, "1002", adam, "lunch").json()["status"] == "lunch"
    assert_error(office.get("/api/ami/users/9999/status", token=adam), 404, "user_not_found")
    page = office.get("/api/ami/users/status?limit=1", token=adam).json()
    assert [each["extension"] for each in page["agents"]] == ["1001"]
    page = office.get(f"/api/ami/users/status?limit=1&cursor={page['nextCursor']}",
                      token=adam).json()
    assert page["agents"][0]["status"] == "lunch" and page["nextCursor"] is None
    office.post("/api/auth/logout", token=ann)
    assert_error(put_status(office, "1001", adam, "available"), 409, "not_logged_in")
    assert put_status(office, "1001", adam, "offline").status_code == 200


def status_code(client, path, token):
    return client.get(path, token=token).status_code


def test_a_session_that_ran_out_leaves_nobody_free(office, redis):
    as_user(office, "ann")
    key, = [key for key in redis.keys("session:*") if redis.hget(key, "username") == "ann"]
    assert redis.hget("agent:1001", "availability") == "available"
    redis.pexpire(key, 1)
    wait_until(lambda: redis.hget("agent:1001", "availability") == "offline", 20)
    assert redis.hget("agent:1001", "availabilityReason") == "session_expired"
    assert not [each for each in redis.zrange("sessions", 0, -1) if each.startswith("1001:")]


def test_an_agent_without_sockets_is_offline_until_one_is_back(office, redis):
    ann = as_user(office, "ann")
    put_status(office, "1001", ann, "lunch")
    now = int(time.time() * 1000)
    redis.zadd("agents:sockets", {"1001": now - 30_000, "1002": now - 90_000})
    wait_until(lambda: redis.zscore("agents:sockets", "1002") is None, 20)
    assert status_of(office, "1001", ann)["status"] == "lunch"
    redis.zadd("agents:sockets", {"1001": now - 61_000})
    wait_until(lambda: status_of(office, "1001", ann)["status"] == "offline", 20)
    assert status_of(office, "1001", ann)["reason"] == "no_socket"
    redis.zadd("agents:sockets", {"1001": int(time.time() * 1000)})
    wait_until(lambda: status_of(office, "1001", ann)["status"] == "lunch", 20)
    # what a person says in the meantime counts
    redis.zadd("agents:sockets", {"1001": now - 61_000})
    wait_until(lambda: status_of(office, "1001", ann)["status"] == "offline", 20)
    put_status(office, "1001", ann, "break")
    redis.zadd("agents:sockets", {"1001": int(time.time() * 1000)})
    assert not redis.exists("agents:lost")
    assert status_of(office, "1001", ann)["status"] == "break"


# ---- what components keep in a session

def test_a_session_is_written_by_who_knows_its_version(office, redis):
    ann = as_user(office, "ann")
    key, = [key for key in redis.keys("session:*") if redis.hget(key, "username") == "ann"]
    path = f"/api/redis/sessions/{key.removeprefix('session:')}"
    first = office.get(path, token=ann)
    assert first.headers["ETag"] == '"0"' and first.json()["data"] == {}
    assert first.json()["session"]["username"] == "ann" and "refreshKey" not in first.text

    def put(data, etag, token=ann):
        return office.put(path, {"data": data}, token=token,
                          headers={"If-Match": etag} if etag else {})
    assert_error(put({"a": 1}, None), 428, "if_match_required")
    written = put({"tab": "calls", "n": 1}, '"0"')
    assert written.status_code == 200 and written.headers["ETag"] == '"1"'
    assert_error(put({"tab": "x"}, '"0"'), 412, "version_mismatch")
    for bad in ('1', '"x"', 'W/"1"', '""', '"1', '"99999999999999999"'):
        assert_error(put({"tab": "x"}, bad), 412, "version_mismatch")
    again = office.get(path, token=ann)
    assert again.json()["data"] == {"tab": "calls", "n": 1} and again.headers["ETag"] == '"1"'
    assert put({}, "*").json() == {"version": 2}
    assert_error(put({"x": "y" * 9000}, "*"), 413, "session_too_large")
    assert_error(put([], "*"), 400, "invalid_field")
    changed = [each for each in told(redis, "events:session")
               if each["eventType"] == "session:changed"]
    assert [each["data"]["version"] for each in changed] == [1, 2]
    assert redis.pttl(key) - 1000 < redis.pttl(f"session:data:{key.removeprefix('session:')}")
    assert office.delete(path, token=ann).status_code == 204
    assert_error(office.get(path, token=ann), 401, "session_revoked")
    assert not redis.keys("session:data:*")


def test_notes_of_a_session(office, redis):
    ann = as_user(office, "ann")
    key, = [key for key in redis.keys("session:*") if redis.hget(key, "username") == "ann"]
    path = f"/api/redis/sessions/{key.removeprefix('session:')}/events"
    for number in range(5):
        added = office.post(path, {"type": "tab:opened", "data": {"n": number}}, token=ann)
        assert added.status_code == 201, added.text
    seen, cursor = [], ""
    while cursor is not None:
        page = office.get(f"{path}?limit=2{cursor}", token=ann).json()
        seen += [each["event"]["data"]["n"] for each in page["events"]]
        cursor = page["nextCursor"] and f"&cursor={page['nextCursor']}"
    assert seen == list(range(5))
    for bad in ({"type": "A b"}, {"type": ""}, {"data": {}}, {"type": "x", "data": []}):
        assert office.post(path, bad, token=ann).status_code == 400
    assert office.post(path, {"type": "x", "data": {"y": "z" * 3000}},
                       token=ann).status_code == 413
    assert office.get(f"{path}?cursor=x", token=ann).status_code == 400
    assert redis.ttl(f"session:events:{key.removeprefix('session:')}") > 0


def test_whose_session_is_seen(office, redis):
    ann, adam = as_user(office, "ann"), as_user(office, "adam")
    ids = {redis.hget(key, "username"): key.removeprefix("session:")
           for key in redis.keys("session:*")}
    assert_error(office.get(f"/api/redis/sessions/{ids[NAME]}", token=ann), 403,
                 "not_own_session")
    assert_error(office.get("/api/redis/sessions/nowhere", token=ann), 403, "not_own_session")
    assert_error(office.get(f"/api/redis/sessions/{ids[NAME]}", token=adam), 403,
                 "role_not_allowed")
    assert_error(office.get("/api/redis/sessions/nowhere", token=adam), 404, "session_not_found")
    assert office.get(f"/api/redis/sessions/{ids['ann']}", token=adam).status_code == 200
    assert office.delete(f"/api/redis/sessions/{ids['ann']}", token=adam).status_code == 204
    assert_error(office.get("/api/auth/me", token=ann), 401, "session_revoked")


# ---- Redis

def test_how_redis_is(office, redis):
    ann = as_user(office, "ann")
    health = office.get("/api/redis/sessions/health", token=ann).json()
    assert health["ok"] and health["sessions"] == 2 and health["roundTripUs"] > 0
    assert_error(office.get("/api/admin/redis/health", token=ann), 403, "forbidden")
    body = office.get("/api/admin/redis/health", token=office.root).json()
    assert body["version"] == redis.info()["redis_version"] and body["role"] == "master"
    assert body["memory"]["usedBytes"] > 100_000 and body["keys"] >= 5
    assert body["latency"]["roundTripUs"] > 0 and "hmget" in body["latency"]["commands"]
    streams = {each["name"]: each for each in body["streams"]}
    assert streams["events:session"]["length"] == redis.xlen("events:session")
    group, = streams["audit"]["groups"]
    assert group["name"] == "auth-svc" and group["consumers"] == 1
    redis.xadd("audit", {"a": "{}"})
    redis.xadd("actions:main", {"a": "{}"})
    redis.xgroup_create("actions:main", "ami-gateway", "0")
    body = office.get("/api/admin/redis/health", token=office.root).json()
    actions = {each["name"]: each for each in body["streams"]}["actions:main"]
    assert actions["groups"][0]["lag"] == 1 and actions["groups"][0]["pending"] == 0
    redis.delete("actions:main", "audit")
