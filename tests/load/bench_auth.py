"""What it costs to know who asks: the check of token and session, logins beside other requests, memory of
sessions, the time until a revoked session's socket is closed."""

import functools
import http.client
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from rig import ROOT, Rig

sys.path.insert(0, str(ROOT / "tests"))

from lib import who  # noqa: E402
from lib.client import Rest, WebSocket  # noqa: E402
from lib.servers import MariaDb  # noqa: E402

REQUESTS = 3000
SESSIONS = 100_000
LOGINS = 20


def p99(times):
    return sorted(times)[int(len(times) * 0.99)]


def ask(one, path, token=None, until=None, count=REQUESTS):
    """Times of requests in ms, one after the other on one connection."""
    connection = http.client.HTTPConnection(one.listen)
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    times = []
    while len(times) < count and not (until and until.is_set()):
        began = time.perf_counter()
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        answer.read()
        times.append((time.perf_counter() - began) * 1000)
        assert answer.status == 200, answer.status
    connection.close()
    return times


class Office(Rig):
    """auth-svc with its database and a superuser, and ws-fanout."""

    def __enter__(self):
        super().__enter__()
        database = MariaDb(self.net, self.directory / "mariadb").start()
        self.callback(database.stop, 30)
        database.recreate()
        self.auth = self.daemon("auth-svc", AUTH_SUPERUSER_NAME=who.NAME,
                                AUTH_SUPERUSER_PASSWORD=who.PASSWORD,
                                AUTH_FAILURES_FREE="100", AUTH_SESSIONS_MAX="1000",
                                **database.settings)
        self.fanout = self.daemon("ws-fanout")
        self.client = Rest(self.auth.url)
        return self


@functools.cache
def _checks(_round):
    with Office() as office:
        token = who.token_of(office.client)
        found = {}
        for one, path in ((office.auth, "/api/auth/me"),
                          (office.fanout, "/api/admin/ws/connections")):
            ask(one, path, token, count=300)
            plain, checked = [], []
            for _ in range(4):  # in turns, so that both see the same machine
                plain += ask(one, "/healthz", count=REQUESTS // 4)
                checked += ask(one, path, token, count=REQUESTS // 4)
            found[one.name] = p99(checked) - p99(plain)
        return found


@functools.cache
def _logins(_round):
    """How much the p99 of other requests moves while 20 people log in at once."""
    with Office() as office:
        token = who.token_of(office.client)
        paths = {office.auth: "/api/auth/me", office.fanout: "/api/admin/ws/connections"}
        before = {one: p99(ask(one, path, token)) for one, path in paths.items()}
        over = threading.Event()
        with ThreadPoolExecutor(LOGINS + 2) as pool:
            others = {one: pool.submit(ask, one, path, token, over, 1_000_000)
                      for one, path in paths.items()}
            began = time.perf_counter()
            logins = [pool.submit(who.login, office.client) for _ in range(LOGINS)]
            assert all(login.result().status_code == 200 for login in logins)
            took = time.perf_counter() - began
            over.set()
            found = {one.name: p99(times.result()) - before[one] for one, times in others.items()}
        return {**found, "logins": LOGINS / took}


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
        root = who.token_of(office.client)
        took = []
        for _ in range(10):
            token = who.token_of(office.client)
            socket = WebSocket.login(office.fanout.ws_url, token)
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
           for name in ("auth-svc", "ws-fanout")]
BENCHES += [(f"20 logins at once: p99 of others, {name}", _bench(_logins, name), "ms more", 5,
             "at most") for name in ("auth-svc", "ws-fanout")]
BENCHES += [("20 logins at once: rate", _bench(_logins, "logins"), "logins/s", None, ""),
            ("100,000 sessions: Redis memory of each", session_memory, "bytes", 1024, "at most"),
            ("revoked session: its socket closes after", socket_closes, "ms", 1000, "at most")]
