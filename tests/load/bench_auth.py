"""What it costs to know who asks: the check of token and session, logins beside other requests, memory of
sessions, the time until a revoked session's socket is closed."""

import functools
import http.client
import json
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from rig import ROOT, Rig, median, run_tool

sys.path.insert(0, str(ROOT / "tests"))

from lib import who  # noqa: E402
from lib.client import Rest, WebSocket  # noqa: E402
from lib.servers import MariaDb  # noqa: E402

SESSIONS = 100_000
LOGINS = 20
ROUNDS = 5
# A route of each daemon that no agent may take: what is asked of it ends right after token and session
# were checked.
CLOSED = {"auth-svc": "/api/users", "ws-fanout": "/api/webhooks", "call-lifecycle": "/api/ami/queues",
          "transfer-svc": "/api/enhanced-transfers/analytics",
          "ami-gateway": "/api/admin/ami/connections",
          "crm-data-svc": "/api/crm/clients/1/personal-data"}
HASHED = "mayday_auth_password_hash_seconds_sum"
NOBODY = "127.255.255.254"  # nothing listens there


class Office(Rig):
    """Every daemon; auth-svc with its database and a superuser. There is no Asterisk and no MongoDB."""

    def __enter__(self):
        super().__enter__()
        database = MariaDb(self.net, self.directory / "mariadb").start()
        self.callback(database.stop, 30)
        database.recreate()
        self.auth = self.daemon("auth-svc", AUTH_SUPERUSER_NAME=who.NAME,
                                AUTH_SUPERUSER_PASSWORD=who.PASSWORD,
                                AUTH_FAILURES_FREE="100", AUTH_SESSIONS_MAX="1000",
                                **database.settings)
        self.client = Rest(self.auth.url)
        return self

    def others(self):
        """name -> daemon, auth-svc included."""
        mongo = {"MONGODB_URI": f"mongodb://{NOBODY}:27017", "AMI_HOST": NOBODY}
        return {"auth-svc": self.auth} | {
            name: self.daemon(name, until="alive", **mongo) for name in CLOSED if name != "auth-svc"}

    def load(self, one, path, rate, seconds, status):
        """Figures of one client of one daemon, an agent."""
        token, paths = self.directory / "token", self.directory / "path"
        token.write_text(self.session("agent", "1001").token)
        paths.write_text(path)
        found = run_tool("http_load", one.listen, token, paths, 1, rate, seconds, status)
        assert found["failed"] == 0, found
        return found

    def checked(self, one, rate, seconds):
        return self.load(one, CLOSED[one.name], rate, seconds, 403)["p99"]


@functools.cache
def _checks(_round):
    """What the check adds, in turns with requests that need none, so that both see the same machine."""
    with Office() as office:
        found = {}
        for name, one in office.others().items():
            office.checked(one, 0, 0.5)
            added = [office.checked(one, 0, 1) - office.load(one, "/healthz", 0, 1, 200)["p99"]
                     for _ in range(ROUNDS)]
            found[name] = median(added)
        return found


def _log_in_until(office, over, done):
    """With no more work than it takes: the machine is the daemons'."""
    body = json.dumps({"username": who.NAME, "password": who.PASSWORD})
    connection = http.client.HTTPConnection(office.auth.listen)
    while not over.is_set():
        connection.request("POST", "/api/auth/login", body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 200, answer.status
        done.append(1)
    connection.close()


@functools.cache
def _logins(_round):
    """How much the p99 of requests at 500/s moves while 20 people are logging in all the time."""
    with Office() as office:
        daemons = office.others()
        before = {name: office.checked(one, 500, 2) for name, one in daemons.items()}
        hashed = office.auth.metric(HASHED)
        over, done, began = threading.Event(), [], time.perf_counter()
        with ThreadPoolExecutor(LOGINS) as pool:
            logins = [pool.submit(_log_in_until, office, over, done) for _ in range(LOGINS)]
            found = {name: office.checked(one, 500, 2) - before[name]
                     for name, one in daemons.items()}
            took = time.perf_counter() - began
            hashed = office.auth.metric(HASHED) - hashed
            found |= {"logins": len(done) / took, "hashing": hashed / took}
            over.set()
            for login in logins:
                login.result()
        return found


def session_memory():
    """Bytes of Redis for each of many sessions that are written as auth-svc has written one."""
    with Office() as office:
        redis = office.redis.client
        made = who.make_user(office.client, who.token_of(office.client), "a.longer.name",
                             extension="1001")
        assert made.status_code == 201
        session = who.login(office.client, "a.longer.name", who.AGENT_PASSWORD).json()
        model = redis.hgetall(session["redis"]["sessionKey"])
        before = redis.info("memory")["used_memory"]
        for start in range(0, SESSIONS, 1000):
            pipe = redis.pipeline(transaction=False)
            for number in range(start, start + 1000):
                id_, user = f"{number:022}", f"{number:06}"
                pipe.hset(f"session:{id_}", mapping={
                    **model, "userId": user, "username": f"agent-{user}", "extension": user,
                    "amiSessionId": f"{number:022}", "refreshKey": f"{number:022}"})
                pipe.pexpire(f"session:{id_}", 3_600_000)
                pipe.zadd(f"user:sessions:{user}", {id_: model["expiresAt"]})
                pipe.pexpire(f"user:sessions:{user}", 3_600_000)
                pipe.zadd("sessions", {f"{user}:{id_}": 0})
            pipe.execute()
        return (redis.info("memory")["used_memory"] - before) / SESSIONS


def socket_closes():
    """ms from the request that revokes to the end of the socket, the slowest of ten."""
    with Office() as office:
        fanout = office.daemon("ws-fanout")
        root = who.token_of(office.client)
        took = []
        for _ in range(10):
            token = who.token_of(office.client)
            socket = WebSocket.login(fanout.ws_url, token)
            began = time.perf_counter()
            assert Rest(office.auth.url, token).post("/api/auth/logout").status_code == 204
            assert socket.wait_closed() == 4403
            took.append((time.perf_counter() - began) * 1000)
        assert office.client.get("/api/auth/me", token=root).status_code == 200
        return max(took)


def _bench(measure, name):
    rounds = iter(range(1_000_000))
    return lambda: measure(next(rounds))[name]


BENCHES = [(f"token and session: added to p99, {name}", _bench(_checks, name), "ms", 0.3, "at most")
           for name in CLOSED]
BENCHES += [(f"20 logins at once: p99 of others, {name}", _bench(_logins, name), "ms more", 5,
             "at most") for name in CLOSED]
BENCHES += [("20 logins at once: rate", _bench(_logins, "logins"), "logins/s", None, ""),
            ("20 logins at once: time in which a hash runs", _bench(_logins, "hashing"), "share", 0.9,
             "at least"),
            ("100,000 sessions: Redis memory of each", session_memory, "bytes", 1024, "at most"),
            ("revoked session: its socket closes after", socket_closes, "ms", 1000, "at most")]
