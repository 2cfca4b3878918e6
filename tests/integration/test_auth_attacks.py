"""What somebody would try who should not get in; and how fast somebody is out, everywhere."""

import base64
import hashlib
import hmac
import json
import time
from concurrent.futures import ThreadPoolExecutor

import jwt
import pytest
import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from lib import tokens
from lib.client import Rest, WebSocket, assert_error
from lib.process import wait_until
from lib.who import AGENT_PASSWORD, NAME, PASSWORD, login, make_user, refresh, token_of


def b64(data):
    data = data if isinstance(data, bytes) else json.dumps(data).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


@pytest.fixture
def es256(auth, daemon, tmp_path):
    """auth-svc with ES256 keys, and call-lifecycle beside it, which has the secret too."""
    folder = tmp_path / "keys"
    folder.mkdir()
    client = auth(AUTH_KEYS_DIR=folder)
    client.other = daemon("call-lifecycle", "alive")
    client.key = next(folder.glob("*.pem"))
    return client


def outcomes(client, token):
    """What auth-svc and another daemon say to it."""
    headers = {"Authorization": f"Bearer {token}"}
    return [requests.get(url, headers=headers, timeout=10) for url in
            (client.url + "/api/auth/me", client.other.url + "/api/ami/calls")]


def test_forged_tokens_open_no_daemon(es256):
    good = token_of(es256)
    claims = jwt.decode(good, options={"verify_signature": False})
    private = serialization.load_pem_private_key(es256.key.read_bytes(), None)
    kid = es256.key.stem
    public = private.public_key().public_bytes(serialization.Encoding.PEM,
                                               serialization.PublicFormat.SubjectPublicKeyInfo)
    jwk = es256.get("/.well-known/jwks.json").json()["keys"][0]
    stranger = ec.generate_private_key(ec.SECP256R1())
    head, body, signature = good.split(".")

    def hs256(header, payload, key):
        text = f"{b64(header)}.{payload if isinstance(payload, str) else b64(payload)}"
        return f"{text}.{b64(hmac.new(key, text.encode(), hashlib.sha256).digest())}"

    def es(payload, headers=None, key=private):
        return jwt.encode(payload, key, "ES256", headers={"kid": kid, **(headers or {})})
    twice = json.dumps(claims)[:-1] + ', "role": "superuser"}'
    text = f"{b64({'alg': 'ES256', 'kid': kid, 'typ': 'JWT'})}.{b64(twice.encode())}"
    bad = {
        "HS256 by the public key": hs256({"alg": "HS256", "typ": "JWT", "kid": kid}, body, public),
        "the same without kid": hs256({"alg": "HS256", "typ": "JWT"}, body, public),
        "HS256 by the key's x": hs256({"alg": "HS256", "kid": kid}, body, jwk["x"].encode()),
        "HS256 by nothing": hs256({"alg": "HS256", "kid": kid}, body, b""),
        "none": f"{b64({'alg': 'none', 'kid': kid})}.{body}.",
        "None with the signature": f"{b64({'alg': 'None', 'kid': kid})}.{body}.{signature}",
        "ES256 that says the secret's": f"{b64({'alg': 'ES256'})}.{body}.{signature}",
        "an unknown kid": es(claims, {"kid": "nobody"}),
        "a kid that is a path": es(claims, {"kid": "../../../../dev/null"}),
        "a kid that is SQL": es(claims, {"kid": "x' UNION SELECT 'y"}),
        "a stranger's key": es(claims, key=stranger),
        "its own key inside": es(claims, {"jwk": jwk}, stranger),
        "crit": es(claims, {"crit": ["exp"]}),
        "truncated": good[:-10], "truncated in the middle": f"{head}.{body[:-7]}.{signature}",
        "no signature": f"{head}.{body}.", "an empty one": "..",
        "another signature": f"{head}.{body}.{b64(b'0' * 64)}",
        "claims twice": f"{text}.{signature}",
        "other claims": f"{head}.{b64({**claims, 'role': 'superuser'})}.{signature}",
        "oversized": es({**claims, "x": "y" * 20_000}),
        "expired": es({**claims, "exp": int(time.time()) - 3600, "iat": 1}),
        "from tomorrow": es({**claims, "iat": int(time.time()) + 86400}),
        "not before tomorrow": es({**claims, "nbf": int(time.time()) + 86400}),
        "for someone else": es({**claims, "aud": "someone-else"}),
        "by someone else": es({**claims, "iss": "someone-else"}),
        "without end": es({name: value for name, value in claims.items() if name != "exp"}),
        "another's session": es({**claims, "sub": "424242"}),
        "a session with a key in it": es({**claims, "sid": "x\r\nDEL session:y"}),
    }
    for name, token in bad.items():
        for answer in outcomes(es256, token):
            # what is longer than a header may be does not even get there
            assert answer.status_code in (401, 431), f"{name}: {answer.status_code} {answer.text}"
            if answer.status_code == 401:
                assert answer.json()["error"]["code"] in ("invalid_token", "token_expired",
                                                          "session_revoked"), name
    for answer in outcomes(es256, good):
        assert answer.status_code == 200, answer.text
    # small differences of clocks are put up with
    early = es({**claims, "iat": int(time.time()) + 3, "nbf": int(time.time()) + 3})
    assert all(answer.status_code == 200 for answer in outcomes(es256, early))


def test_many_made_up_kids_cost_redis_little(es256, redis):
    good = token_of(es256)
    assert all(answer.status_code == 200 for answer in outcomes(es256, good))
    claims = jwt.decode(good, options={"verify_signature": False})
    stranger = ec.generate_private_key(ec.SECP256R1())

    def fetches():
        return redis.info("commandstats").get("cmdstat_get", {}).get("calls", 0)
    before, began = fetches(), time.monotonic()
    for number in range(40):
        token = jwt.encode(claims, stranger, "ES256", headers={"kid": f"made-up-{number}"})
        assert all(answer.status_code == 401 for answer in outcomes(es256, token))
    assert fetches() - before <= 2 * (time.monotonic() - began + 2)


def test_replayed_refresh_token_ends_the_family(auth, redis):
    client = auth()
    first = login(client).json()["jwt"]
    other = login(client).json()["jwt"]
    second = refresh(client, first["refreshToken"]).json()["jwt"]
    third = refresh(client, second["refreshToken"]).json()["jwt"]
    assert_error(refresh(client, first["refreshToken"]), 401, "refresh_token_reused")
    for token in (first, second, third):
        assert_error(client.get("/api/auth/me", token=token["token"]), 401, "session_revoked")
    assert client.get("/api/auth/me", token=other["token"]).status_code == 200


def test_a_session_cannot_be_chosen(auth, redis):
    """Nothing that the client sends becomes the id of its session."""
    client = auth()
    wanted = "A" * 22
    redis.hset(f"session:{wanted}", mapping={"userId": "1", "role": "superuser"})
    for extra in ({"sessionId": wanted}, {"sid": wanted}):
        assert_error(login(client, **extra), 400, "unknown_field")
    answer = client.post(f"/api/auth/login?sessionId={wanted}&sid={wanted}",
                         {"username": NAME, "password": PASSWORD},
                         headers={"Cookie": f"sid={wanted}; session={wanted}",
                                  "X-Session-Id": wanted, "Authorization": f"Bearer {wanted}"})
    assert answer.status_code == 200 and "Set-Cookie" not in answer.headers
    assert answer.json()["redis"]["sessionKey"] != f"session:{wanted}"
    one = login(client).json()["redis"]["sessionKey"]
    assert one != answer.json()["redis"]["sessionKey"]


STRANGE_NAMES = (
    "' OR '1'='1", "root' --", 'root"; DROP TABLE users; --', "root\\", "root%", "root;",
    "root\u0000", "ro\u200bot", "ｒｏｏｔ", "rооt", "ROOT", "Root", " root", "root ", "root\n",
    "ro\u0301ot", "\u202etoor", "root\u00ad", "*", "$where", "root)(|(uid=*))", "../root",
)


def test_names_that_look_alike_are_not_alike(auth, database, redis):
    """Here root is written with letters of other alphabets, invisible ones and signs of SQL."""
    client = auth()
    for name in STRANGE_NAMES:
        answer = login(client, name, PASSWORD)
        assert_error(answer, 400, "invalid_json" if "\0" in name else "invalid_field")
        made = make_user(client, None, name)
        assert made.status_code in (400, 401)
    assert not redis.keys("auth:fail:user:*")
    root = token_of(client)
    for name in STRANGE_NAMES:
        assert make_user(client, root, name).status_code == 400, name
    assert len(database.query("SELECT id FROM users")) == 1


def test_headers_cannot_be_injected(auth, redis, database):
    client = auth()
    evil = "x\r\nSet-Cookie: a=b"
    root = token_of(client)
    for path in ("/api/users/1%0d%0aSet-Cookie:%20a=b", "/api/auth/sessions/x%0d%0aX: y",
                 "/api/ami/users/1001%0d%0aX:%20y/status", "/api/redis/sessions/%0d%0a"):
        answer = client.get(path, token=root) if "auth" not in path else \
            client.delete(path, token=root)
        assert 400 <= answer.status_code < 500 and "Set-Cookie" not in answer.headers
    answer = client.post("/api/auth/login", {"username": NAME, "password": PASSWORD},
                         headers={"X-Request-ID": "a b;c", "X-Real-IP": "1.2.3.4, 5.6.7.8",
                                  "User-Agent": "caf\u00e9 agent " + "z" * 300})
    assert answer.status_code == 200, answer.text
    device = client.get("/api/auth/sessions", token=root).json()["sessions"][-1]["device"]
    assert device.isprintable() and device.isascii() and len(device) <= 48
    for field in ("displayName", "email"):
        assert make_user(client, root, "x", **{field: evil}).status_code == 400
    assert make_user(client, root, "x", extension=evil).status_code == 400


def test_right_and_wrong_passwords_of_unknown_users_cost_the_same(auth):
    client = auth(AUTH_FAILURES_FREE=100)
    hashes = "mayday_auth_password_hash_seconds_count"
    for name in (NAME, "nobody-of-this-name"):
        before = client.daemon.metric(hashes)
        assert_error(login(client, name, "not-the-password"), 401, "invalid_credentials")
        assert client.daemon.metric(hashes) == before + 1


# ---- being out

@pytest.fixture
def everywhere(auth, daemon, redis):
    """auth-svc with ann logged in, and the other daemons that check tokens by themselves."""
    client = auth()
    root = token_of(client)
    ann = make_user(client, root, "ann", extension="1001").json()["id"]
    fanout = daemon("ws-fanout")
    client.root, client.ann, client.fanout = root, ann, fanout
    client.others = [client.daemon, daemon("call-lifecycle", "alive"), fanout]
    client.token = token_of(client, "ann", AGENT_PASSWORD)
    return client


def me(client, one, token):
    path = {"auth-svc": "/api/auth/me", "call-lifecycle": "/api/ami/calls",
            "ws-fanout": "/api/admin/ws/connections"}[one.name]
    return Rest(one.url, token).get(path)


@pytest.mark.parametrize("act", [
    lambda client: client.post("/api/auth/logout"),
    lambda client: client.post("/api/auth/logout-all"),
    lambda client: client.delete(f"/api/users/{client.ann}/sessions", token=client.root),
    lambda client: client.put(f"/api/users/{client.ann}", {"enabled": False}, token=client.root),
    lambda client: client.delete(f"/api/users/{client.ann}", token=client.root),
], ids=("logout", "logout of all", "by an administrator", "disabled", "removed"))
def test_who_is_out_is_out_everywhere_within_a_second(everywhere, recording, act):
    socket = WebSocket.login(everywhere.fanout.ws_url, everywhere.token, recording)
    ticket = everywhere.post("/api/auth/ws-ticket").json()["ticket"]
    for one in everywhere.others:
        assert me(everywhere, one, everywhere.token).status_code in (200, 403)
    began = time.monotonic()
    assert act(everywhere).status_code in (200, 204)
    for one in everywhere.others:
        assert_error(me(everywhere, one, everywhere.token), 401, "session_revoked")
    assert socket.wait_closed(10) == 4403
    took = time.monotonic() - began
    late = WebSocket(everywhere.fanout.ws_url, recording)
    late.send({"type": "auth", "ticket": ticket})
    assert late.wait_closed(10) in (4401, 4403)
    assert took < 5  # 1 s on a machine that is not busy with tests: tests/load/bench_auth.py


def test_a_ticket_opens_one_socket(everywhere, recording):
    ticket = everywhere.post("/api/auth/ws-ticket").json()["ticket"]
    first = WebSocket(everywhere.fanout.ws_url, recording)
    first.send({"type": "auth", "ticket": ticket})
    assert first.wait_for("welcome")["principal"]["username"] == "ann"
    second = WebSocket(everywhere.fanout.ws_url, recording)
    second.send({"type": "auth", "ticket": ticket})
    assert second.wait_closed(10) == 4401
    first.close()


def test_a_login_that_races_with_the_end_of_its_user_does_not_last(auth, redis):
    client = auth(AUTH_FAILURES_FREE=50)
    root = token_of(client)
    for round_ in range(3):
        ann = make_user(client, root, f"ann{round_}").json()["id"]
        with ThreadPoolExecutor(4) as pool:
            logins = [pool.submit(login, client, f"ann{round_}", AGENT_PASSWORD)
                      for _ in range(3)]
            time.sleep(0.04 * round_)
            client.put(f"/api/users/{ann}", {"enabled": False}, token=root)
            answers = [each.result() for each in logins]
        for answer in answers:
            if answer.status_code == 200:
                token = answer.json()["jwt"]["token"]
                assert_error(client.get("/api/auth/me", token=token), 401, "session_revoked")
        wait_until(lambda: not [key for key in redis.keys("session:*")
                                if redis.hget(key, "username") == f"ann{round_}"])
