"""What nobody should send, to every daemon, through nginx and at its own door: each a clear 4xx in
the one error shape, and nothing changed; while a call is on the line that must not suffer."""

import base64
import contextlib
import json
import threading
import time

import jwt
import pytest
import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from lib import openapi
from lib.client import WebSocket
from lib.ledger import Ledger
from lib.process import wait_until
from lib.raw_http import RawHttp

# These live without any request.
VOLATILE = ("lease:", "fence:", "pbx:", "lifecycle:", "auth:fail:", "replies:")
# What an agent does with a call.
TOUCHES = [("call-lifecycle", "GET", ""), ("call-lifecycle", "DELETE", ""),
           ("call-lifecycle", "PUT", "/hold"), ("call-lifecycle", "PUT", "/unhold"),
           ("transfer-svc", "POST", "/transfer")]
CONTROL = [chr(code) for code in (*range(0x20), 0x7f)]


class Doors:
    """The same path at nginx and at the daemon that serves it."""

    def __init__(self, stack):
        self.stack = stack

    def listens(self, way, daemon):
        return self.stack.http if way == "nginx" else self.stack.settings(daemon)["HTTP_LISTEN"]

    def ask(self, way, daemon, method, path, token=None, **options):
        headers = {"Content-Type": "application/json"} if "data" in options else {}
        headers |= {"Authorization": f"Bearer {token}"} if token else {}
        headers |= options.pop("headers", {})
        url = f"http://{self.listens(way, daemon)}{path}"
        return requests.request(method, url, headers=headers, timeout=15, **options)


def refused(answer, *statuses):
    """In the one shape, as documented, with a status that says whose fault it is."""
    allowed = statuses or range(400, 500)
    assert answer.status_code in allowed, (answer.request.url, answer.status_code, answer.text)
    error = answer.json()["error"]
    assert set(error) <= {"code", "message", "details"} and error["message"]
    assert error["code"].replace("_", "a").isalnum() and error["code"].islower()
    assert answer.headers["Content-Type"].startswith("application/json")
    openapi.check_answer(answer.request.method, answer.request.path_url, answer)
    if answer.status_code == 401:
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.fixture(scope="module")
def talking(office):
    """A call of 1001 and 1002, on the line during all of this."""
    office.quiet()
    ledger = Ledger(office)
    ann, bob = office.agents(1001, 1002)
    call_id = office.talk(ann, bob)
    ledger.settle()
    yield call_id
    assert ann.call(call_id)["state"] == "established"
    ann.hang_up(call_id)
    ledger.ended(call_id)
    ledger.check()


@pytest.fixture
def doors(stack, talking):
    return Doors(stack)


@pytest.fixture(params=["nginx", "direct"])
def way(request):
    return request.param


@pytest.fixture(autouse=True)
def unchanged(stack, office, talking):
    """No key of Redis and no user is another one after the test; nothing was asked of Asterisk."""
    def everything():
        redis = stack.redis_client()
        keys = sorted(key for key in redis.scan_iter(count=1000) if not key.startswith(VOLATILE))
        pipe = redis.pipeline(transaction=False)
        for key in keys:
            if key.startswith(("events:", "actions:")):
                pipe.xrevrange(key, count=1)
            elif key.startswith(("call:", "agent:", "session:", "queue:")):
                pipe.hgetall(key)
            else:
                pipe.exists(key)
        found = {}
        for key, value in zip(keys, pipe.execute()):
            fields = value if isinstance(value, dict) else {"": value}
            found |= {(key, field): text for field, text in fields.items()
                      if field != "model"}  # call-lifecycle's own notes
        return found, stack.sql("SELECT COUNT(*), MAX(id) FROM users")

    assert office.agent(1003) and office.admin
    before = everything()
    channels = office.channels()
    yield
    after = everything()
    differ = {key: (before[0].get(key), after[0].get(key))
              for key in before[0].keys() | after[0].keys()
              if before[0].get(key) != after[0].get(key)}
    assert not differ, differ
    assert before[1] == after[1]
    assert office.channels() == channels


@pytest.fixture
def bodies(office, talking):
    """The operations that take a body: daemon, path, token of who may use it."""
    agent, admin = office.agent(1001).token, office.admin.token
    return {"login": ("auth-svc", "/api/auth/login", None),
            "user": ("auth-svc", "/api/users", admin),
            "originate": ("call-lifecycle", "/api/ami/calls/originate", agent),
            "transfer": ("transfer-svc", f"/api/ami/calls/{talking}/transfer", agent)}


GOOD = {"login": {"username": "agent1001", "password": "a-password-of-tests"},
        "user": {"username": "mallory", "password": "a-password-of-tests", "role": "agent"},
        "originate": {"to": "1003"}, "transfer": {"target": "1003"}}


NO_OBJECT = [
    b"", b"{", b"}", b"[]", b"null", b'"1003"', b"17", b"{'to': '1003'}", b'{"to": "1003"',
    b'{"to": "1003"} x', b'{"to": "1003",}', b'{"to": "10\xff03"}', b"\x00", b"\xff\xfe{\x00}\x00",
    b'{"to": "1003"}\x00', b"[" * 50000, b'{"a":' * 50000, b'{"to": 1e999999}']


@pytest.mark.parametrize("name", GOOD)
def test_a_body_that_is_no_object(doors, bodies, way, name):
    daemon, path, token = bodies[name]
    for body in NO_OBJECT:
        refused(doors.ask(way, daemon, "POST", path, token, data=body), 400, 411, 415)


WRONG = [None, True, 17, -1, 1.5, "", " ", [], {}, ["1003"], {"$ne": 1}, "1 003", "1003 ",
         "١٠٠٣", "１００３", "10\u202e03", "x" * 33, "1" * 33, "1" * 100_000, "../1003", "1003&PJSIP/1002",
         "1003,1", "1003@from-internal", "${EXTEN}", "1003;", "-1003", "PJSIP/1003"]


NO_VALUE = {
    "originate": [
        *({"to": value} for value in WRONG),
        *({"to": "1003", field: value} for field in ("from", "callerId") for value in WRONG[1:]),
        *({"to": "1003", "timeoutMs": value}
          for value in (True, "5000", 0, -1, 1.5, 1e30, 999, 300_001, [], {})),
        *({"to": "1003", "variables": value}
          for value in (1, "A=1", [], ["A=1"], {"CDR(x)": "1"}, {"PATH": "x"}, {"A": 1}))],
    "transfer": [{"target": value} for value in WRONG],
    "user": [GOOD["user"] | {field: value} for field, values in {
        "username": (*WRONG[:11], "a b", "A", "a" * 65),
        "password": (None, 1, [], "short", "x" * 257),
        "role": (None, 1, "", "root", "superuser2"),
        "extension": (1, [], "x", "1" * 33)}.items() for value in values],
    "login": [GOOD["login"] | {field: value} for field in ("username", "password")
              for value in (None, True, 17, [], {}, {"$ne": 1}, "")]}


@pytest.mark.parametrize("name", NO_VALUE)
def test_a_value_that_is_none(doors, bodies, way, name):
    daemon, path, token = bodies[name]
    for fields in NO_VALUE[name]:
        refused(doors.ask(way, daemon, "POST", path, token, data=json.dumps(fields)), 400, 401)


UNKNOWN = [
    ("originate", {"channel": "PJSIP/1003"}), ("originate", {"Application": "System"}),
    ("originate", {"callId": "x"}), ("originate", {"To": "1002"}), ("transfer", {"to": "1002"}),
    ("transfer", {"context": "from-trunk"}), ("user", {"admin": True}), ("user", {"id": 1}),
    ("login", {"role": "superuser"}), ("login", {"userId": "1"})]


def test_a_field_that_is_not_known(doors, bodies, way):
    for name, field in UNKNOWN:
        daemon, path, token = bodies[name]
        body = json.dumps(GOOD[name] | field)
        refused(doors.ask(way, daemon, "POST", path, token, data=body), 400)


def test_a_body_that_does_not_say_it_is_json(doors, bodies, way):
    for name, (daemon, path, token) in bodies.items():
        for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
            refused(doors.ask(way, daemon, "POST", path, token, data=json.dumps(GOOD[name]),
                              headers={"Content-Type": kind}), 400, 415)


@pytest.mark.parametrize("name", GOOD)
def test_ten_megabytes(doors, bodies, way, name):
    """Said early or late: the answer is there to be read, and nobody else waited."""
    daemon, path, token = bodies[name]
    body = b'{"to": "' + b"1" * 10_000_000 + b'"}'
    with RawHttp(doors.listens(way, daemon), 20) as client:
        def send():
            with contextlib.suppress(OSError):  # it may hang up as soon as it has answered
                client.send(body)
        client.send(f"POST {path} HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n"
                    + (f"Authorization: Bearer {token}\r\n" if token else "")
                    + f"Content-Length: {len(body)}\r\n\r\n")
        sender = threading.Thread(target=send)
        sender.start()
        reply = client.reply()
        sender.join(20)
    assert reply.status == 413 and reply.code == "payload_too_large"


def test_slow_clients(doors, office):
    """They are cut after a while, and others do not notice them."""
    doors_of = [("nginx", "auth-svc"), ("direct", "auth-svc"), ("direct", "call-lifecycle"),
                ("direct", "ami-gateway"), ("direct", "ws-fanout")]
    head = "POST /api/users HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n"
    clients, ended = [], {}
    for door in doors_of:
        for rest in ("X: ", "Content-Length: 1000\r\n\r\n{"):
            if door[0] == "nginx" and rest[0] == "C":
                continue  # nginx keeps that for itself until the body is there
            for _ in range(5):
                clients.append((door, rest, RawHttp(doors.listens(*door), 20)))
                clients[-1][2].send(head + rest)
    began = time.monotonic()
    while len(ended) < len(clients) and time.monotonic() - began < 25:
        for number, (_, _, client) in enumerate(clients):
            if number in ended:
                continue
            client.socket.settimeout(0.001)
            try:
                client.send(" ")
                if not client.socket.recv(65536):
                    ended[number] = time.monotonic() - began
            except TimeoutError:
                pass
            except OSError:
                ended[number] = time.monotonic() - began
        asked = time.monotonic()
        assert office.agent(1001).rest.get("/api/auth/me").status_code == 200
        assert office.agent(1001).rest.get("/api/ami/calls").status_code == 200
        assert time.monotonic() - asked < 2
        time.sleep(0.3)
    left = [clients[number][:2] for number in range(len(clients)) if number not in ended]
    for _, _, client in clients:
        client.socket.close()
    assert not left, f"never cut: {left}"


@pytest.mark.parametrize("name, make", [
    ("originate", lambda value: {"to": value}),
    ("originate", lambda value: {"to": "1003", "from": value}),
    ("originate", lambda value: {"to": "1003", "callerId": value}),
    ("originate", lambda value: {"to": "1003", "variables": {"X": value}}),
    ("originate", lambda value: {"to": "1003", "variables": {value: "1"}}),
    ("transfer", lambda value: {"target": value})],
    ids=["to", "from", "callerId", "variable", "variable-name", "target"])
def test_control_bytes_for_asterisk(doors, bodies, name, make):
    daemon, path, token = bodies[name]
    for byte in (*CONTROL, "\r\n", "\r\nAction: Logoff\r\n\r\n", "\u2028", "\x85"):
        for value in (byte + "1001", "10" + byte + "01", "1001" + byte):
            answer = doors.ask("direct", daemon, "POST", path, token, data=json.dumps(make(value)))
            refused(answer, 400)
    refused(doors.ask("nginx", daemon, "POST", path, token, data=json.dumps(make("1\r\n2"))), 400)


@pytest.mark.parametrize("daemon, method, action", TOUCHES)
def test_control_bytes_in_a_call_id(doors, office, talking, way, daemon, method, action):
    token = office.agent(1001).token
    for byte in (*CONTROL, "\r\nAction: Logoff\r\n\r\n", "/", "..", "*", "?", "\xff", "x" * 500):
        coded = "".join(f"%{code:02x}" for code in byte.encode("latin-1"))
        for path in (f"{talking}{coded}", f"{coded}{talking}", coded):
            options = {"data": '{"target": "1003"}'} if method == "POST" else {}
            answer = doors.ask(way, daemon, method, f"/api/ami/calls/{path}{action}", token,
                               **options)
            refused(answer, 400, 403, 404, 405, 414)


def test_control_bytes_in_headers(doors, office, way):
    token = office.agent(1001).token
    for name in ("Idempotency-Key", "X-Request-ID", "Authorization"):
        for byte in [*CONTROL[1:9], *CONTROL[14:]]:
            listens = doors.listens(way, "call-lifecycle")
            value = f"Bearer {token}" if name == "Authorization" else "key"
            other = "" if name == "Authorization" else f"Authorization: Bearer {token}\r\n"
            with RawHttp(listens) as client:
                client.send(f"POST /api/ami/calls/originate HTTP/1.1\r\nHost: h\r\n{other}"
                            f"{name}: {value}{byte}x\r\nContent-Type: application/json\r\n"
                            "Content-Length: 2\r\n\r\n{}")
                reply = client.reply()
            assert 400 <= reply.status < 500 and reply.code


# --- tokens

def segment(data):
    return base64.urlsafe_b64encode(json.dumps(data).encode()).rstrip(b"=").decode()


@pytest.fixture(scope="module")
def forged(stack, office):
    """Tokens of agent 1001 that are all worth nothing."""
    good = office.agent(1001).token
    head, body = jwt.get_unverified_header(good), jwt.decode(
        good, options={"verify_signature": False})
    pem = next((stack.run / "secrets/token-keys").glob(f"{head['kid']}*")).read_bytes()
    key = serialization.load_pem_private_key(pem, None)
    public = key.public_key().public_bytes(serialization.Encoding.PEM,
                                           serialization.PublicFormat.SubjectPublicKeyInfo)
    mark = {"kid": head["kid"]}
    parts = good.split(".")

    def signed(**claims):
        claims = {name: value for name, value in (body | claims).items() if value is not None}
        return jwt.encode(claims, key, "ES256", headers=mark)

    def hmac(secret):
        text = f"{segment({'alg': 'HS256', 'typ': 'JWT'} | mark)}.{parts[1]}"
        algorithm = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256)
        tag = algorithm.sign(text.encode(), secret)
        return f"{text}.{base64.urlsafe_b64encode(tag).rstrip(b'=').decode()}"

    assert office.agent(1001).rest.get("/api/auth/me", token=signed()).status_code == 200
    stranger = ec.generate_private_key(ec.SECP256R1())
    now = int(time.time())
    return {
        "expired": signed(exp=now - 60, iat=now - 960, nbf=now - 960),
        "not yet valid": signed(nbf=now + 600),
        "without an end": signed(exp=None),
        "end as text": signed(exp=str(now + 600)),
        "another audience": signed(aud="elsewhere"),
        "no audience": signed(aud=None),
        "another issuer": signed(iss="elsewhere"),
        "no issuer": signed(iss=None),
        "no session": signed(sid=None),
        "a session that never was": signed(sid="0" * 32),
        "another's session": signed(sid=jwt.decode(office.agent(1002).token, options={
            "verify_signature": False})["sid"]),
        "a stranger's key": jwt.encode(body, stranger, "ES256", headers=mark),
        "an unknown key": jwt.encode(body, stranger, "ES256", headers={"kid": "nobody"}),
        "no key": jwt.encode(body, stranger, "ES256"),
        "unsigned": f"{parts[0]}.{parts[1]}.",
        "cut": f"{parts[0]}.{parts[1]}",
        "alg none": f"{segment({'alg': 'none', 'typ': 'JWT'})}.{parts[1]}.",
        "alg NONE, with the key's name": f"{segment({'alg': 'NONE'} | mark)}.{parts[1]}.",
        "the public key as a secret": hmac(public),
        "an empty secret": hmac(b""),
        "another role": f"{parts[0]}.{segment(body | {'role': 'superuser'})}.{parts[2]}",
        "no token": "x", "only dots": "..", "very long": "a" * 4000, "not ASCII": "\xe4.\xf6.\xfc",
    }


ROUTES = [("auth-svc", "GET", "/api/auth/me"), ("auth-svc", "GET", "/api/users"),
          ("auth-svc", "POST", "/api/users"), ("auth-svc", "POST", "/api/auth/logout"),
          ("auth-svc", "POST", "/api/auth/ws-ticket"), ("call-lifecycle", "GET", "/api/ami/calls"),
          ("call-lifecycle", "POST", "/api/ami/calls/originate"),
          ("call-lifecycle", "GET", "/api/ami/calls/{}"),
          ("call-lifecycle", "DELETE", "/api/ami/calls/{}"),
          ("call-lifecycle", "PUT", "/api/ami/calls/{}/hold"),
          ("transfer-svc", "POST", "/api/ami/calls/{}/transfer"),
          ("ami-gateway", "GET", "/api/admin/ami/connections"),
          ("ws-fanout", "GET", "/api/admin/ws/connections")]


@pytest.mark.parametrize("daemon, method, path", ROUTES)
def test_a_token_that_is_worth_nothing(doors, office, talking, forged, way, daemon, method, path):
    body = {"data": '{"to": "1003", "target": "1003"}'} if method == "POST" else {}
    for why, token in forged.items():
        header = {"Authorization": f"Bearer {token}".encode("latin-1")}
        answer = doors.ask(way, daemon, method, path.format(talking), headers=header, **body)
        assert answer.status_code == 401 or why == "not ASCII", (why, answer.text)
        refused(answer, 400, 401)
    refused(doors.ask(way, daemon, method, path.format(talking), **body), 401)
    query = f"?token={office.agent(1001).token}&access_token={office.agent(1001).token}"
    refused(doors.ask(way, daemon, method, path.format(talking) + query, **body), 401)



def test_a_websocket_with_a_token_that_is_worth_nothing(stack, forged):
    for why, token in forged.items():
        socket = WebSocket(stack.ws_url)
        socket.send({"type": "auth", "token": token})
        wait_until(lambda each=socket: each.receive() is None, what=f"{why}: closed")
        code = 4403 if why.startswith("a") and "session" in why else 4401
        assert socket.close_code == code, (why, socket.messages)
        assert not any(message["type"] in ("welcome", "event") for message in socket.messages)


# --- what is not one's own

def test_another_agents_call(doors, office, talking, way):
    eve = office.agent(1003)
    for daemon, method, action in TOUCHES:
        options = {"data": '{"target": "1003"}'} if method == "POST" else {}
        path = f"/api/ami/calls/{talking}{action}"
        refused(doors.ask(way, daemon, method, path, eve.token, **options), 403)
        path = f"/api/ami/calls/1700000000000-00000000{action}"
        refused(doors.ask(way, daemon, method, path, eve.token, **options), 404)


def test_what_a_role_may_not(doors, office, way):
    eve = office.agent(1003)
    for daemon, method, path, body in [
            ("auth-svc", "GET", "/api/users", None),
            ("auth-svc", "POST", "/api/users", GOOD["user"] | {"role": "superuser"}),
            ("ami-gateway", "GET", "/api/admin/ami/connections", None),
            ("ws-fanout", "GET", "/api/admin/ws/connections", None),
            ("call-lifecycle", "POST", "/api/ami/calls/originate", {"from": "1001", "to": "1002"})]:
        options = {"data": json.dumps(body)} if body else {}
        refused(doors.ask(way, daemon, method, path, eve.token, **options), 403)
