"""auth-svc on a real Redis and a real MariaDB."""

import base64
import time
from concurrent.futures import ThreadPoolExecutor

import jwt
import pytest
import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from lib import tokens
from lib.client import assert_error
from lib.daemon import BIN
from lib.process import wait_until
from lib.who import AGENT_PASSWORD, NAME, PASSWORD, login, make_user, refresh, token_of

LIMIT = 30


def test_login_answers_three_parts_and_leaves_them_in_redis(auth, redis):
    client = auth()
    root = token_of(client)
    assert make_user(client, root, "ann", extension="1001").status_code == 201
    listener = redis.pubsub(ignore_subscribe_messages=True)
    listener.subscribe("session:changes")
    listener.get_message(timeout=5)
    before = time.time() * 1000
    body = login(client, "ann", AGENT_PASSWORD).json()

    claims = jwt.decode(body["jwt"]["token"], tokens.SECRET, ["HS256"], issuer="mayday",
                        audience="mayday")
    assert claims["username"] == "ann" and claims["role"] == "agent" and claims["ext"] == "1001"
    assert claims["exp"] * 1000 == body["jwt"]["expiresAt"]
    assert 895 <= claims["exp"] - before / 1000 <= 915
    assert body["ami"]["username"] == "ann" and body["ami"]["extension"] == "1001"
    assert "make_calls" in body["ami"]["permissions"]
    assert "manage_users" not in body["ami"]["permissions"]

    key = f"session:{claims['sid']}"
    assert body["redis"]["sessionKey"] == key
    stored = redis.hgetall(key)
    assert stored["userId"] == body["user"]["id"] == claims["sub"]
    assert (stored["username"], stored["role"], stored["extension"]) == ("ann", "agent", "1001")
    assert stored["amiSessionId"] == body["ami"]["sessionId"]
    assert int(stored["expiresAt"]) == body["redis"]["expiresAt"]
    assert 43_190_000 < body["redis"]["expiresAt"] - before < 43_260_000
    assert 7_140_000 < redis.pttl(key) <= 7_200_000  # unless it is refreshed
    assert redis.zscore(f"user:sessions:{stored['userId']}", claims["sid"])
    (entry,) = [fields["e"] for _, fields in redis.xrange("events:session")
                if '"session:created"' in fields["e"] and claims["sid"] in fields["e"]]
    wait_until(lambda: listener.get_message(timeout=1)["data"] == entry, what="published, too")
    assert "argon2" not in str(body) and "password" not in str(body).lower()


def test_me_and_logout(auth, redis):
    client = auth()
    token = token_of(client)
    me = client.get("/api/auth/me", token=token).json()
    assert me["user"]["username"] == NAME and me["user"]["role"] == "superuser"
    assert "manage_admins" in me["permissions"]
    assert client.post("/api/auth/logout", token=token).status_code == 204
    for _ in range(2):
        assert_error(client.get("/api/auth/me", token=token), 401, "session_revoked")
    assert_error(client.post("/api/auth/logout", token=token), 401, "session_revoked")
    assert '"session:revoked"' in redis.xrevrange("events:session", count=1)[0][1]["e"]
    assert not redis.keys("session:*")


def test_one_login_too_many_ends_the_oldest(auth, redis):
    client = auth(AUTH_SESSIONS_MAX=2)
    first, second, third = token_of(client), token_of(client), token_of(client)
    wait_until(lambda: len(redis.keys("session:*")) == 2)
    assert_error(client.get("/api/auth/me", token=first), 401, "session_revoked")
    assert client.get("/api/auth/me", token=second).status_code == 200
    assert client.get("/api/auth/me", token=third).status_code == 200
    entry = redis.xrevrange("events:session", count=1)[0][1]["e"]
    assert '"session:revoked"' in entry and '"replaced"' in entry
    redis.zadd("user:sessions:1", {"gone": 1})
    token_of(client)
    assert redis.zscore("user:sessions:1", "gone") is None
    wait_until(lambda: redis.zcard("user:sessions:1") == 2)


def test_wrong_and_unknown_look_alike(auth):
    client = auth()
    wrong = login(client, NAME, "not-the-password")
    unknown = login(client, "nobody", "not-the-password")
    assert_error(wrong, 401, "invalid_credentials")
    assert_error(unknown, 401, "invalid_credentials")
    assert wrong.json() == unknown.json()
    assert client.daemon.metric("mayday_auth_password_hash_seconds_count") == 3
    assert "not-the-password" not in client.daemon.log and PASSWORD not in client.daemon.log


def test_too_many_failures_have_to_wait(auth, redis):
    client = auth(AUTH_FAILURES_FREE=3)
    for _ in range(3):
        assert_error(login(client, NAME, "wrong"), 401, "invalid_credentials")
    locked = login(client)
    assert_error(locked, 429, "too_many_failures")
    assert int(locked.headers["Retry-After"]) >= 1
    assert 0 < redis.ttl(f"auth:fail:user:{NAME}") <= 900
    assert_error(login(client, "someone-else", "wrong"), 401, "invalid_credentials")
    redis.set(f"auth:fail:user:{NAME}", 30, ex=900)
    assert 200 < int(login(client).headers["Retry-After"]) <= 300
    redis.set(f"auth:fail:user:{NAME}", 3, ex=890)
    assert login(client).status_code == 200
    assert not redis.exists(f"auth:fail:user:{NAME}")


def test_an_administrator_lets_a_user_in_again(auth):
    client = auth(AUTH_FAILURES_FREE=2)
    root = token_of(client)
    for name, role in (("ann", "agent"), ("adam", "admin")):
        make_user(client, root, name, role)
    ann, = [each["id"] for each in client.get("/api/users", token=root).json()["users"]
            if each["username"] == "ann"]
    for _ in range(2):
        login(client, "ann", "not-the-password")
    assert_error(login(client, "ann", AGENT_PASSWORD), 429, "too_many_failures")
    adam = token_of(client, "adam", AGENT_PASSWORD)
    assert client.post(f"/api/users/{ann}/unlock", token=adam).status_code == 204
    agent = token_of(client, "ann", AGENT_PASSWORD)
    assert_error(client.post(f"/api/users/{ann}/unlock", token=agent), 403, "forbidden")
    assert_error(client.post("/api/users/1/unlock", token=adam), 403, "role_not_allowed")


def test_one_address_has_to_wait_too(auth, redis):
    client = auth(AUTH_FAILURES_FREE=1)
    login(client, "someone", "wrong")
    address, = [key for key in redis.keys("auth:fail:addr:127.*")]
    redis.set(address, 100, ex=900)
    assert_error(login(client), 429, "too_many_failures")


def test_more_logins_than_may_wait_get_429(auth):
    client = auth(AUTH_HASH_WAITING=0, AUTH_FAILURES_FREE=50)
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: login(client), range(6)))
    codes = sorted(each.status_code for each in answers)
    assert set(codes) == {200, 429}, codes
    for each in answers:
        if each.status_code == 429:
            assert_error(each, 429, "too_many_logins")
            assert each.headers["Retry-After"] == "1"


@pytest.mark.parametrize("body, code, field", [
    ({}, "missing_field", "username"),
    ({"username": "ann"}, "missing_field", "password"),
    ({"username": 7, "password": "x"}, "invalid_field", "username"),
    ({"username": "ann", "password": None}, "invalid_field", "password"),
    ({"username": "", "password": "x"}, "invalid_field", "username"),
    ({"username": "a" * 65, "password": "x"}, "invalid_field", "username"),
    ({"username": "ann", "password": "x" * 257}, "invalid_field", "password"),
    ({"username": "ann\r\nAction: x", "password": "x"}, "invalid_field", "username"),
    ({"username": "' OR 1=1 -- ", "password": "x"}, "invalid_field", "username"),
    ({"username": "ann", "password": "x", "extension": "10x"}, "invalid_field", "extension"),
    ({"username": "ann", "password": "x", "admin": "yes"}, "unknown_field", "admin"),
])
def test_bad_login_bodies(auth, body, code, field):
    response = auth().post("/api/auth/login", body)
    assert_error(response, 400, code)
    assert response.json()["error"]["details"] == {"field": field}


def test_bodies_that_are_no_object(auth):
    client = auth()
    for data in (b"", b"[]", b"{", b'{"username":"a","username":"b","password":"c"}', b"\xff\xfe",
                 b'{"username":"a\\u0000","password":"c"}'):
        response = requests.post(client.url + "/api/auth/login", data=data, timeout=10,
                                 headers={"Content-Type": "application/json"})
        assert response.status_code == 400, (data, response.text)
        assert set(response.json()) == {"error"}
    response = requests.post(client.url + "/api/auth/login", data=b"x" * 10_000_000, timeout=10)
    assert response.status_code == 413


def test_roles_make_only_roles_below_their_own(auth):
    client = auth()
    root = token_of(client)
    assert make_user(client, root, "second", "superuser").status_code == 201
    assert make_user(client, root, "adam", "admin").status_code == 201
    adam = token_of(client, "adam", AGENT_PASSWORD)
    assert_error(make_user(client, adam, "eve", "admin"), 403, "role_not_allowed")
    assert_error(make_user(client, adam, "eve", "superuser"), 403, "role_not_allowed")
    assert make_user(client, adam, "mary", "manager").status_code == 201
    assert make_user(client, adam, "ann", extension="1001").status_code == 201
    for name in ("mary", "ann"):
        token = token_of(client, name, AGENT_PASSWORD)
        assert_error(make_user(client, token, "x"), 403, "forbidden")
        assert_error(client.get("/api/users", token=token), 403, "forbidden")
    assert_error(make_user(client, None, "x"), 401, "invalid_token")


def test_users_are_made_once_and_listed_in_pages(auth, database):
    client = auth()
    root = token_of(client)
    made = make_user(client, root, "ann", extension="1001", displayName="Ann Ünlü")
    assert made.status_code == 201
    ann = made.json()
    assert made.headers["Location"] == f"/api/users/{ann['id']}"
    assert client.get(made.headers["Location"], token=root).json() == ann
    assert ann["displayName"] == "Ann Ünlü" and ann["extension"] == "1001" and ann["enabled"]
    assert_error(make_user(client, root, "ann"), 409, "username_taken")
    assert_error(make_user(client, root, "bob", extension="1001"), 409, "extension_taken")
    for number in range(5):
        assert make_user(client, root, f"user{number}").status_code == 201
    names, cursor = [], ""
    while cursor is not None:
        page = client.get(f"/api/users?limit=3{cursor and '&cursor=' + cursor}", token=root).json()
        assert len(page["users"]) <= 3
        names += [each["username"] for each in page["users"]]
        cursor = page["nextCursor"]
    assert names == [NAME, "ann"] + [f"user{number}" for number in range(5)]
    for path in ("/api/users/999999", "/api/users/x", "/api/users/1e3", "/api/users/" + "9" * 30):
        assert_error(client.get(path, token=root), 404, "user_not_found")
    for query in ("limit=0", "limit=x", "limit=201", "cursor=a'b", "cursor=-1"):
        assert client.get(f"/api/users?{query}", token=root).status_code == 400, query
    audit = database.query("SELECT actor, action, subject, detail FROM audit "
                           "WHERE action = 'user:created' ORDER BY id")
    assert audit[0] == {"actor": "auth-svc", "action": "user:created", "subject": NAME,
                        "detail": "superuser"}
    assert audit[1] == {"actor": NAME, "action": "user:created", "subject": "ann",
                        "detail": "agent"}
    assert len(audit) == 7
    hashes = database.query("SELECT password_hash AS hash FROM users")
    assert all(each["hash"].startswith("$argon2id$v=19$m=65536") for each in hashes)


@pytest.mark.parametrize("fields, code", [
    ({"role": "emperor"}, "invalid_field"), ({"role": 3}, "invalid_field"),
    ({"username": "Ann"}, "invalid_field"), ({"username": "-ann"}, "invalid_field"),
    ({"password": "short"}, "invalid_field"), ({"password": "line\nbreak-in-it"}, "invalid_field"),
    ({"extension": "1001\r\n"}, "invalid_field"), ({"extension": 1001}, "invalid_field"),
    ({"displayName": "x" * 101}, "invalid_field"), ({"id": "1"}, "unknown_field"),
])
def test_bad_users_are_refused(auth, database, fields, code):
    client = auth()
    body = {"username": "ann", "password": AGENT_PASSWORD, "role": "agent", **fields}
    assert_error(client.post("/api/users", body, token=token_of(client)), 400, code)
    assert len(database.query("SELECT id FROM users")) == 1


def test_the_extension_of_a_login(auth):
    client = auth()
    root = token_of(client)
    make_user(client, root, "ann", extension="1001")
    make_user(client, root, "bob")
    make_user(client, root, "mary", "manager")
    assert login(client, "ann", AGENT_PASSWORD, extension="1001").status_code == 200
    assert_error(login(client, "ann", AGENT_PASSWORD, extension="1002"), 403,
                 "extension_not_allowed")
    assert_error(login(client, "bob", AGENT_PASSWORD, extension="1002"), 403,
                 "extension_not_allowed")
    token = token_of(client, "mary", AGENT_PASSWORD, extension="1002")
    assert client.get("/api/auth/me", token=token).json()["user"]["extension"] == "1002"


def test_a_disabled_user_cannot_log_in(auth, database):
    client = auth()
    database.query("UPDATE users SET enabled = 0")
    assert_error(login(client), 401, "invalid_credentials")


def test_the_session_wins_over_the_token(auth, redis):
    client = auth()
    token = token_of(client)
    key, = redis.keys("session:*")
    redis.hset(key, "role", "agent")
    assert client.get("/api/auth/me", token=token).json()["user"]["role"] == "agent"
    assert_error(client.get("/api/users", token=token), 403, "forbidden")
    redis.hset(key, "expiresAt", 1)
    assert_error(client.get("/api/auth/me", token=token), 401, "session_revoked")
    redis.hset(key, mapping={"expiresAt": 2**52, "userId": "999"})
    assert_error(client.get("/api/auth/me", token=token), 401, "session_revoked")


def test_tokens_are_never_taken_from_the_address(auth):
    client = auth()
    token = token_of(client)
    for query in (f"token={token}", f"access_token={token}"):
        assert_error(client.get(f"/api/auth/me?{query}"), 401, "invalid_token")


def test_a_ticket_is_for_one_socket(auth, redis):
    client = auth()
    token = token_of(client)
    answer = client.post("/api/auth/ws-ticket", token=token)
    assert answer.status_code == 201
    key = f"cache:ticket:{answer.json()['ticket']}"
    assert f"session:{redis.get(key)}" in redis.keys("session:*")
    assert 0 < redis.ttl(key) <= 30


def number_of(jwk, name):
    text = jwk[name] + "=" * (-len(jwk[name]) % 4)
    return int.from_bytes(base64.urlsafe_b64decode(text), "big")


def public_key(jwk):
    return ec.EllipticCurvePublicNumbers(number_of(jwk, "x"), number_of(jwk, "y"),
                                         ec.SECP256R1()).public_key()


def test_es256_keys_are_made_published_and_rotated(auth, redis, tmp_path):
    folder = tmp_path / "keys"
    folder.mkdir()
    client = auth(AUTH_KEYS_DIR=folder, JWT_SECRET=None)
    first, = folder.glob("*.pem")
    assert first.stat().st_mode & 0o077 == 0
    token = token_of(client)
    header = jwt.get_unverified_header(token)
    assert header["alg"] == "ES256" and header["kid"] == first.stem
    published = client.get("/.well-known/jwks.json")
    assert published.json()["keys"][0]["kid"] == first.stem and '"d"' not in published.text
    assert redis.get("auth:jwks") == published.text
    jwt.decode(token, public_key(published.json()["keys"][0]), ["ES256"], audience="mayday")
    assert client.get("/api/auth/me", token=token).status_code == 200
    forged = jwt.encode(jwt.decode(token, options={"verify_signature": False}), tokens.SECRET,
                        "HS256", headers={"kid": first.stem})
    assert_error(client.get("/api/auth/me", token=forged), 401, "invalid_token")

    second = ec.generate_private_key(ec.SECP256R1())
    (folder / "9999999999.pem").write_bytes(second.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption()))
    client.daemon.restart()
    assert jwt.get_unverified_header(token_of(client))["kid"] == "9999999999"
    assert client.get("/api/auth/me", token=token).status_code == 200
    assert len(client.get("/.well-known/jwks.json").json()["keys"]) == 2


def test_mariadb_away_and_back(auth, database):
    client = auth()
    token = token_of(client)
    database.stop(30)
    wait_until(lambda: client.daemon.get("/readyz").status_code == 503)
    start = time.monotonic()
    gone = login(client)
    assert_error(gone, 503, "unavailable")
    assert time.monotonic() - start < 1 and "Retry-After" in gone.headers
    assert client.get("/api/auth/me", token=token).status_code == 200
    assert_error(client.get("/api/users", token=token), 503, "unavailable")
    database.start()
    wait_until(client.daemon.ready, LIMIT)
    assert login(client).status_code == 200


def test_redis_away_and_back(auth, redis_server):
    client = auth()
    token = token_of(client)
    redis_server.kill9()
    try:
        for ask in (lambda: login(client), lambda: client.get("/api/auth/me", token=token)):
            start = time.monotonic()
            gone = ask()
            assert_error(gone, 503, "unavailable")
            assert time.monotonic() - start < 1 and "Retry-After" in gone.headers
    finally:
        redis_server.start()
    wait_until(client.daemon.ready, LIMIT)
    assert client.get("/api/auth/me", token=token).status_code == 200
    assert login(client).status_code == 200


def test_redis_hangs(auth, redis_server):
    client = auth()
    token = token_of(client)
    redis_server.sigstop()
    try:
        start = time.monotonic()
        assert_error(client.get("/api/auth/me", token=token), 503, "unavailable")
        assert time.monotonic() - start < 3
    finally:
        redis_server.sigcont()
    wait_until(lambda: client.get("/api/auth/me", token=token).status_code == 200, LIMIT)


def test_starts_while_everything_is_away(auth, database, redis_server):
    database.stop(30)
    redis_server.kill9()
    try:
        client = auth(until="alive")
        assert client.daemon.get("/readyz").status_code == 503
        names = client.daemon.get("/readyz").json()["dependencies"]
        assert set(names) == {"redis", "mariadb", "schema"}
        assert_error(login(client), 503, "unavailable")
    finally:
        redis_server.start()
        database.start()
    wait_until(client.daemon.ready, LIMIT)
    assert login(client).status_code == 200


def test_the_superuser_is_made_once_and_never_by_default(auth, database):
    client = auth(AUTH_SUPERUSER_NAME=None, AUTH_SUPERUSER_PASSWORD=None)
    assert database.query("SELECT id FROM users") == []
    for password in ("admin", "root", ""):
        assert login(client, "admin", password or "x").status_code == 401
    client.daemon.stop()
    auth().daemon.stop()
    assert [each["username"] for each in database.query("SELECT username FROM users")] == [NAME]
    client = auth(AUTH_SUPERUSER_NAME="other", AUTH_SUPERUSER_PASSWORD="another-password")
    assert len(database.query("SELECT id FROM users")) == 1
    assert login(client).status_code == 200


def test_migrate_alone_and_twice(daemon, database):
    for _ in range(2):
        one = daemon("auth-svc", until=None, options=["--migrate"], **database.settings)
        assert wait_until(lambda: not one.running()) and one.process.returncode == 0, one.log
    rows = database.query("SELECT version, name FROM schema_migrations ORDER BY version")
    assert [each["version"] for each in rows] == list(range(1, len(rows) + 1))
    tables = {next(iter(each.values())) for each in database.query("SHOW TABLES")}
    assert {"users", "teams", "audit", "ps_endpoints", "ps_auths", "ps_aors"} <= tables


def test_two_daemons_migrate_at_once(auth, database):
    first, second = auth(until="alive"), auth(until="alive")
    wait_until(first.daemon.ready, LIMIT)
    wait_until(second.daemon.ready, LIMIT)
    assert len(database.query("SELECT id FROM users")) == 1
    token = token_of(first)
    assert second.get("/api/auth/me", token=token).status_code == 200
    assert second.post("/api/auth/logout", token=token).status_code == 204
    assert_error(first.get("/api/auth/me", token=token), 401, "session_revoked")


def test_wrong_settings_are_told_all_at_once(daemon, database):
    one = daemon("auth-svc", until=None, JWT_SECRET="short", AUTH_SUPERUSER_NAME="Root",
                 AUTH_TOKEN_TTL_S=1, **database.settings)
    assert wait_until(lambda: not one.running()) and one.process.returncode == 2
    for name in ("JWT_SECRET", "AUTH_TOKEN_TTL_S"):
        assert name in one.log
    one.process = None


def test_memory_is_given_back_after_hashing(auth):
    client = auth()
    for _ in range(3):
        login(client)
    resident = client.daemon.metric("process_resident_memory_bytes")
    if "asan" not in str(BIN):
        assert resident < 16 * 2**20


def test_refresh_tokens_rotate(auth, redis):
    client = auth(AUTH_TOKEN_TTL_S=10)
    first = login(client).json()["jwt"]
    answer = refresh(client, first["refreshToken"])
    assert answer.status_code == 200, answer.text
    second = answer.json()["jwt"]
    assert second["refreshToken"] != first["refreshToken"]
    assert first["refreshExpiresAt"] <= second["refreshExpiresAt"] <= \
        first["refreshExpiresAt"] + 60_000
    assert client.get("/api/auth/me", token=second["token"]).status_code == 200
    assert refresh(client, second["refreshToken"]).status_code == 200
    assert_error(refresh(client, first["refreshToken"]), 401, "refresh_token_reused")
    assert_error(client.get("/api/auth/me", token=second["token"]), 401, "session_revoked")
    assert_error(refresh(client, second["refreshToken"]), 401, "session_revoked")
    assert '"session:revoked"' in redis.xrevrange("events:session", count=1)[0][1]["e"]


def test_one_refresh_token_works_once_at_the_same_time(auth, redis):
    client = auth()
    token = login(client).json()["jwt"]["refreshToken"]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: refresh(client, token), range(8)))
    assert sum(each.status_code == 200 for each in answers) == 1
    assert all(each.status_code in (200, 401) for each in answers)
    told = [fields["e"] for _, fields in redis.xrange("events:session")]
    assert sum('"session:revoked"' in each for each in told) == 1


def test_made_up_refresh_tokens_do_no_harm(auth):
    client = auth()
    tokens_ = login(client).json()["jwt"]
    session_id, count, mac = tokens_["refreshToken"].split(".")
    for text in ("x", "..", f"{session_id}.{count}", f"{session_id}.{count}.{mac[::-1]}",
                 f"{session_id}.1.{mac}", f"{session_id}.-1.{mac}", f"{session_id}.{count}.{mac}.",
                 f"{session_id[:-1]}.{count}.{mac}", tokens_["token"][:80]):
        assert_error(refresh(client, text), 401, "invalid_token")
    assert_error(refresh(client, f"{'x' * 22}.{count}.{mac}"), 401, "session_revoked")
    assert_error(refresh(client, "x" * 81), 400, "invalid_field")
    assert client.get("/api/auth/me", token=tokens_["token"]).status_code == 200
    assert refresh(client, tokens_["refreshToken"]).status_code == 200
