"""auth-svc: lists and ends of sessions, passwords, keys, lockout, the audit."""

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from lib.client import assert_error
from lib.process import wait_until
from lib.who import AGENT_PASSWORD, NAME, PASSWORD, login, make_user, refresh, token_of


def login_of(client, *credentials):
    body = login(client, *credentials).json()
    return body["jwt"]["token"], body["redis"]["sessionKey"].removeprefix("session:")


def audit_of(database, **wanted):
    rows = database.query("SELECT actor, action, subject, detail, address FROM audit ORDER BY id")
    return [row for row in rows if all(row[name] == value for name, value in wanted.items())]


# ---- sessions

def test_own_sessions_are_listed_and_ended(auth, redis):
    client = auth()
    first, first_id = login_of(client)
    second, second_id = login_of(client)
    listed = client.get("/api/auth/sessions", token=second).json()["sessions"]
    assert [each["id"] for each in listed] == [first_id, second_id]
    assert [each["current"] for each in listed] == [False, True]
    assert listed[0]["device"].startswith("python-requests") and listed[0]["amiSession"]
    assert listed[0]["createdAt"] <= listed[0]["idleExpiresAt"] <= listed[0]["expiresAt"]
    gone = client.delete(f"/api/auth/sessions/{first_id}", token=second)
    assert gone.status_code == 204
    assert_error(client.get("/api/auth/me", token=first), 401, "session_revoked")
    assert client.get("/api/auth/me", token=second).status_code == 200
    for other in (first_id, "x", "a" * 41, "%2e%2e"):
        assert_error(client.delete(f"/api/auth/sessions/{other}", token=second), 404,
                     "session_not_found")


def test_logout_of_all_ends_all(auth, redis):
    client = auth()
    tokens = [token_of(client) for _ in range(3)]
    assert client.post("/api/auth/logout-all", token=tokens[1]).status_code == 204
    for token in tokens:
        assert_error(client.get("/api/auth/me", token=token), 401, "session_revoked")
    assert not redis.keys("session:*") and not redis.exists("sessions")
    told = [json.loads(fields["e"]) for _, fields in redis.xrange("events:session")]
    ended = [each["data"] for each in told if each["eventType"] == "session:revoked"]
    assert len(ended) == 3 and {each["reason"] for each in ended} == {"logout"}


def test_nobody_ends_a_session_of_someone_else_without_being_allowed(auth):
    client = auth()
    root, root_id = login_of(client)
    make_user(client, root, "ann", extension="1001")
    make_user(client, root, "adam", "admin")
    ann, ann_id = login_of(client, "ann", AGENT_PASSWORD)
    adam, _ = login_of(client, "adam", AGENT_PASSWORD)
    assert_error(client.delete(f"/api/auth/sessions/{root_id}", token=ann), 404,
                 "session_not_found")
    users = {each["username"]: each["id"]
             for each in client.get("/api/users", token=root).json()["users"]}
    assert_error(client.get(f"/api/users/{users[NAME]}/sessions", token=adam), 403,
                 "role_not_allowed")
    assert_error(client.delete(f"/api/users/{users[NAME]}/sessions", token=adam), 403,
                 "role_not_allowed")
    listed = client.get(f"/api/users/{users['ann']}/sessions", token=adam).json()["sessions"]
    assert [each["id"] for each in listed] == [ann_id]
    assert_error(client.delete(f"/api/users/{users['ann']}/sessions/{root_id}", token=adam), 404,
                 "session_not_found")
    path = f"/api/users/{users['ann']}/sessions/{ann_id}"
    assert client.delete(path, token=adam).status_code == 204
    assert_error(client.get("/api/auth/me", token=ann), 401, "session_revoked")
    ann, _ = login_of(client, "ann", AGENT_PASSWORD)
    assert client.delete(f"/api/users/{users['ann']}/sessions", token=adam).status_code == 204
    assert_error(client.get("/api/auth/me", token=ann), 401, "session_revoked")
    assert client.get("/api/auth/me", token=root).status_code == 200


def test_everyones_sessions_in_pages(auth, redis):
    client = auth()
    root = token_of(client)
    for number in range(1, 6):
        make_user(client, root, f"user{number}", extension=f"100{number}")
        token_of(client, f"user{number}", AGENT_PASSWORD)
    seen, cursor = [], ""
    while cursor is not None:
        page = client.get(f"/api/admin/redis/sessions?limit=2{cursor}", token=root).json()
        assert len(page["sessions"]) <= 2
        seen += [each["username"] for each in page["sessions"]]
        cursor = page["nextCursor"] and f"&cursor={page['nextCursor']}"
    assert sorted(seen) == sorted([NAME] + [f"user{number}" for number in range(1, 6)])
    ann = token_of(client, "user1", AGENT_PASSWORD)
    assert_error(client.get("/api/admin/redis/sessions", token=ann), 403, "forbidden")


def test_a_session_that_is_not_refreshed_ends(auth, redis):
    client = auth(AUTH_TOKEN_TTL_S=10, AUTH_SESSION_IDLE_S=30)
    tokens = login(client).json()["jwt"]
    key, = redis.keys("session:*")
    assert 20_000 < redis.pttl(key) <= 30_000
    redis.pexpire(key, 5_000)
    assert refresh(client, tokens["refreshToken"]).status_code == 200
    assert 20_000 < redis.pttl(key) <= 30_000
    redis.hset(key, "expiresAt", int(time.time() * 1000) + 9_000)
    again = refresh(client, refresh_of(client, redis, key))
    assert again.status_code == 200
    assert redis.pttl(key) <= 9_000  # the end of the login is not moved
    assert again.json()["jwt"]["refreshExpiresAt"] == int(redis.hget(key, "expiresAt"))


def refresh_of(client, redis, key):
    """The session's next refresh token, made as auth-svc makes it."""
    import base64
    import hashlib
    import hmac
    session_id, count = key.removeprefix("session:"), redis.hget(key, "refreshes")
    mac = hmac.new(redis.hget(key, "refreshKey").encode(), f"{session_id}.{count}".encode(),
                   hashlib.sha256).digest()[:16]
    return f"{session_id}.{count}.{base64.urlsafe_b64encode(mac).decode().rstrip('=')}"


# ---- users

def test_a_changed_user_has_to_log_in_again(auth):
    client = auth()
    root = token_of(client)
    ann = make_user(client, root, "ann", extension="1001").json()
    path = f"/api/users/{ann['id']}"
    for change in ({"role": "manager"}, {"extension": "1002"}, {"extension": None},
                   {"password": "another-long-sentence"}, {"enabled": False}):
        credentials = "ann", AGENT_PASSWORD
        token = token_of(client, *credentials)
        changed = client.put(path, change, token=root)
        assert changed.status_code == 200, changed.text
        for name, value in change.items():
            if name != "password":
                assert changed.json().get(name) == value
        assert_error(client.get("/api/auth/me", token=token), 401, "session_revoked")
        if "password" in change:
            assert_error(login(client, *credentials), 401, "invalid_credentials")
            client.put(path, {"password": AGENT_PASSWORD}, token=root)
    assert_error(login(client, "ann", AGENT_PASSWORD), 401, "invalid_credentials")
    client.put(path, {"enabled": True}, token=root)
    token = token_of(client, "ann", AGENT_PASSWORD)
    harmless = client.put(path, {"displayName": "Ann B", "email": "ann@example.org"}, token=root)
    assert harmless.json()["email"] == "ann@example.org"
    assert client.get("/api/auth/me", token=token).status_code == 200
    assert client.delete(path, token=root).status_code == 204
    assert_error(client.get("/api/auth/me", token=token), 401, "session_revoked")
    assert_error(client.get(path, token=root), 404, "user_not_found")


def test_who_may_change_whom(auth):
    client = auth()
    root = token_of(client)
    me = client.get("/api/auth/me", token=root).json()["user"]["id"]
    adam = make_user(client, root, "adam", "admin").json()["id"]
    eve = make_user(client, root, "eve", "admin", email="eve@example.org").json()["id"]
    ann = make_user(client, root, "ann", extension="1001").json()["id"]
    token = token_of(client, "adam", AGENT_PASSWORD)
    for other in (me, eve):
        assert_error(client.put(f"/api/users/{other}", {"displayName": "x"}, token=token), 403,
                     "role_not_allowed")
        assert_error(client.delete(f"/api/users/{other}", token=token), 403, "role_not_allowed")
    assert_error(client.put(f"/api/users/{ann}", {"role": "admin"}, token=token), 403,
                 "role_not_allowed")
    assert_error(client.put(f"/api/users/{me}", {"enabled": False}, token=root), 403,
                 "own_account")
    assert_error(client.delete(f"/api/users/{me}", token=root), 403, "own_account")
    assert_error(client.put(f"/api/users/{ann}", {"email": "EVE@example.org"}, token=token), 409,
                 "email_taken")
    assert_error(client.put(f"/api/users/{ann}", {"teamId": "77"}, token=token), 409,
                 "team_not_found")
    for bad in ({"email": "no address"}, {"displayName": 'a"b'}, {"enabled": "yes"},
                {"role": None}, {"password": "ann-ann-ann-ann"}, {"teamId": "x"}):
        assert_error(client.put(f"/api/users/{ann}", bad, token=token), 400, "invalid_field")


# ---- passwords

def test_a_password_is_changed(auth, database):
    client = auth()
    token, other = token_of(client), token_of(client)
    fresh = "lantern tramway 27 north"

    def change(current, wanted, who=token):
        return client.post("/api/auth/password",
                           {"currentPassword": current, "newPassword": wanted}, token=who)
    assert_error(change("not-the-password", fresh), 403, "wrong_password")
    for bad in ("short", "root-is-my-name", "password12345", "aaaaaaaaaaaaaaa"):
        answer = change(PASSWORD, bad)
        assert_error(answer, 400, "invalid_field")
        assert answer.json()["error"]["details"] == {"field": "newPassword"}
    assert change(PASSWORD, fresh).status_code == 204
    assert client.get("/api/auth/me", token=token).status_code == 200
    assert_error(client.get("/api/auth/me", token=other), 401, "session_revoked")
    assert_error(login(client), 401, "invalid_credentials")
    assert login(client, NAME, fresh).status_code == 200
    assert audit_of(database, action="password:changed", actor=NAME)
    assert fresh not in client.daemon.log


def test_guessing_the_current_password_is_counted(auth):
    client = auth(AUTH_FAILURES_FREE=2)
    token = token_of(client)
    body = {"currentPassword": "wrong", "newPassword": "lantern tramway 27 north"}
    for _ in range(2):
        assert_error(client.post("/api/auth/password", body, token=token), 403, "wrong_password")
    assert_error(client.post("/api/auth/password", body, token=token), 429, "too_many_failures")
    assert_error(login(client), 429, "too_many_failures")


# ---- lockout

def test_parallel_guesses_are_no_more_than_those_one_after_the_other(auth):
    client = auth(AUTH_FAILURES_FREE=3)
    with ThreadPoolExecutor(30) as pool:
        answers = list(pool.map(lambda n: login(client, NAME, f"wrong-{n}"), range(30)))
    codes = [each.json()["error"]["code"] for each in answers]
    assert codes.count("invalid_credentials") == 3, codes
    assert set(codes) == {"invalid_credentials", "too_many_failures"}
    # the first hash is that of the superuser's making
    assert client.daemon.metric("mayday_auth_password_hash_seconds_count") == 4


def test_many_addresses_guess_one_name(auth, redis):
    client = auth(AUTH_FAILURES_FREE=3)
    codes = [client.post("/api/auth/login", {"username": NAME, "password": "wrong"},
                         headers={"X-Real-IP": f"203.0.113.{n}"}).status_code for n in range(6)]
    assert codes == [401] * 3 + [429] * 3
    assert len(redis.keys("auth:fail:addr:203.0.113.*")) == 3


def test_few_guesses_on_many_names_raise_the_alarm(auth, redis):
    client = auth(AUTH_FAILURES_FREE=5, AUTH_FAILURES_OF_ALL=10)
    for n in range(12):
        client.post("/api/auth/login", {"username": f"name{n}", "password": "Spring2024!x"},
                    headers={"X-Real-IP": f"203.0.113.{n}"})
    assert client.daemon.metric("mayday_auth_spraying_total") == 1
    # from now on one failure is all that a name has, from wherever
    for n in range(2):
        answer = client.post("/api/auth/login", {"username": "name3", "password": "Summer2024!x"},
                             headers={"X-Real-IP": f"198.51.100.{n}"})
    assert_error(answer, 429, "too_many_failures")
    assert login(client).status_code == 200
    assert redis.ttl("auth:fail:all") <= 60


def test_a_login_that_was_right_is_no_failure(auth, redis):
    client = auth(AUTH_FAILURES_FREE=2)
    for _ in range(5):
        assert login(client).status_code == 200
    assert not redis.exists(f"auth:fail:user:{NAME}")
    assert all(redis.get(key) == "0" for key in redis.keys("auth:fail:addr:*"))


def test_one_address_cannot_fill_the_line(auth):
    client = auth(AUTH_HASH_WAITING=6, AUTH_FAILURES_FREE=100)
    flood = threading.Barrier(13)

    def guess(address):
        flood.wait(10)
        if address == "quiet":
            time.sleep(0.03)
        return client.post("/api/auth/login", {"username": NAME, "password": PASSWORD},
                           headers={"X-Real-IP": "198.51.100.7" if address == "quiet"
                                    else "203.0.113.9"}).status_code
    with ThreadPoolExecutor(13) as pool:
        loud = [pool.submit(guess, "loud") for _ in range(12)]
        quiet = pool.submit(guess, "quiet")
        # a slow machine may be too late for some, but room is made for the quiet one
        assert quiet.result() in (200, 504)
        codes = {each.result() for each in loud}
        assert 429 in codes and codes <= {200, 429, 504}


# ---- keys

def write_key(path, at=None):
    import os
    key = ec.generate_private_key(ec.SECP256R1())
    part = path.with_suffix(".part")
    part.write_bytes(key.private_bytes(serialization.Encoding.PEM,
                                       serialization.PrivateFormat.PKCS8,
                                       serialization.NoEncryption()))
    if at is not None:
        os.utime(part, (at, at))
    part.rename(path)


def kid_of(token):
    return jwt.get_unverified_header(token)["kid"]


def test_keys_rotate_without_a_restart(auth, redis, tmp_path):
    folder = tmp_path / "keys"
    folder.mkdir()
    write_key(folder / "a.pem", time.time() - 3600)
    client = auth(AUTH_KEYS_DIR=folder, JWT_SECRET=None, AUTH_SESSIONS_MAX=1000)
    old = token_of(client)
    assert kid_of(old) == "a"
    write_key(folder / "b.pem")  # too new to sign, but everyone may know it
    wait_until(lambda: '"b"' in (redis.get("auth:jwks") or ""))
    assert kid_of(token_of(client)) == "a"
    write_key(folder / "c.pem", time.time() - 60)
    wait_until(lambda: kid_of(token_of(client)) == "c")
    new = token_of(client)
    for token in (old, new):
        assert client.get("/api/auth/me", token=token).status_code == 200
    published = {key["kid"] for key in client.get("/.well-known/jwks.json").json()["keys"]}
    assert published == {"a", "b", "c"}
    (folder / "bad.pem").write_text("no key")
    wait_until(lambda: "those of before are kept" in client.daemon.log)
    assert client.get("/api/auth/me", token=new).status_code == 200
    (folder / "bad.pem").unlink()


def test_old_keys_are_replaced_by_themselves(auth, redis, tmp_path):
    folder, hour = tmp_path / "keys", 3600
    folder.mkdir()
    write_key(folder / "1000000000.pem", time.time() - 9 * hour)
    write_key(folder / "1000000001.pem", time.time() - 8 * hour)
    write_key(folder / "0-by-hand.pem", time.time() - 10 * hour)
    client = auth(AUTH_KEYS_DIR=folder, JWT_SECRET=None, AUTH_KEY_ROTATE_S=7 * hour)
    wait_until(lambda: len(list(folder.glob("*.pem"))) == 3 and
               not (folder / "1000000000.pem").exists())
    names = sorted(path.stem for path in folder.glob("*.pem"))
    assert names[:2] == ["0-by-hand", "1000000001"]  # it still signs, the new one is too new
    assert abs(int(names[2]) - time.time()) < 600
    assert kid_of(token_of(client)) == "1000000001"


# ---- the audit

def test_logins_and_refusals_reach_the_audit(auth, database, redis):
    client = auth(AUTH_FAILURES_FREE=2)
    token_of(client)
    login(client, "nobody", "not-the-password")
    login(client, NAME, "not-the-password")
    login(client, NAME, "not-the-password")
    login(client)
    wait_until(lambda: len(audit_of(database)) >= 6)
    assert audit_of(database, action="login:succeeded", actor=NAME, subject=NAME)
    details = [row["detail"] for row in audit_of(database, action="login:refused")]
    assert details == ["unknown", "wrong_password", "wrong_password", "locked"]
    assert all(row["address"].startswith("127.") for row in audit_of(database, subject=NAME)[1:])
    entries = [json.loads(fields["a"]) for _, fields in redis.xrange("audit")]
    assert [each["action"] for each in entries].count("login:refused") == 4
    wait_until(lambda: redis.xpending("audit", "auth-svc")["pending"] == 0)


def test_the_audit_waits_for_mariadb(auth, database, redis):
    client = auth()
    token = token_of(client)
    wait_until(lambda: audit_of(database, action="login:succeeded"))
    database.stop(30)
    wait_until(lambda: client.daemon.get("/readyz").status_code == 503)
    assert client.post("/api/auth/logout-all", token=token).status_code == 204
    wait_until(lambda: redis.xpending("audit", "auth-svc")["pending"] == 1)
    database.start()
    wait_until(lambda: client.daemon.ready() and
               audit_of(database, action="session:all_revoked"), 30)
    wait_until(lambda: redis.xpending("audit", "auth-svc")["pending"] == 0)
    assert len(audit_of(database, action="session:all_revoked")) == 1


def test_the_audit_is_read_by_administrators(auth, database):
    client = auth()
    token = token_of(client)
    for name in ("adam", "mary"):
        make_user(client, token, name, "admin" if name == "adam" else "manager")
    login(client, "adam", "not-the-password")
    adam = token_of(client, "adam", AGENT_PASSWORD)
    wait_until(lambda: audit_of(database, action="login:succeeded", actor="adam"))

    def page(query=""):
        answer = client.get(f"/api/admin/audit?{query}", token=adam)
        assert answer.status_code == 200, answer.text
        return answer.json()
    whole = page("limit=200")["entries"]
    assert [int(each["id"]) for each in whole] == sorted((int(each["id"]) for each in whole),
                                                          reverse=True)
    made, = page("action=user:created&subject=mary")["entries"]
    assert made["actor"] == NAME and made["address"].startswith("127.")
    refused, = page("action=login:refused")["entries"]
    assert (refused["subject"], refused["detail"]) == ("adam", "wrong_password")
    walked, cursor = [], ""
    while cursor is not None:
        one = page(f"limit=2{cursor}")
        walked += one["entries"]
        cursor = one["nextCursor"] and f"&cursor={one['nextCursor']}"
    assert walked == whole
    assert page(f"to={made['at'] - 1}&subject=mary")["entries"] == []
    assert page("actor=%27%20OR%201%3D1--%20")["entries"] == []
    assert_error(client.get("/api/admin/audit?from=x", token=adam), 400, "bad_request")
    mary = token_of(client, "mary", AGENT_PASSWORD)
    assert_error(client.get("/api/admin/audit", token=mary), 403, "forbidden")
