"""Fixtures for tests that use the real servers. Each test gets them clean."""

import itertools

import pytest

from lib import scratch, tokens
from lib.client import Rest, WebSocket
from lib.daemon import Daemon
from lib.net import Net
from lib.recording import Recording
from lib.servers import MariaDb, Mongo, Nginx, Redis, refusals


@pytest.fixture(scope="session")
def net():
    net = Net()
    yield net
    net.close()


@pytest.fixture(scope="session")
def redis_server(net):
    server = Redis(net, scratch.directory("redis"))
    yield server.start()
    server.stop()
    scratch.remove(server.directory)


@pytest.fixture
def recording():
    """Holds every message against its schema; fails the test at its end when one was wrong."""
    recording = Recording()
    yield recording
    recording.finish()


@pytest.fixture
def redis(redis_server, recording):
    """A client on an empty Redis; what the test put on its streams is validated at the end, and no
    daemon may have asked for what its user has no right to."""
    if not redis_server.running():
        redis_server.start()
    redis_server.client.flushall()
    refusals(redis_server.client)
    yield redis_server.client
    recording.tap(redis_server.client)
    refused = refusals(redis_server.client)
    assert not refused, "\n".join(refused)


@pytest.fixture(scope="session")
def database_server(net):
    server = MariaDb(net, scratch.directory("mariadb"))
    yield server.start()
    server.stop(30)
    scratch.remove(server.directory)


@pytest.fixture
def database(database_server):
    """The server, with an empty database `mayday`."""
    if not database_server.running():
        database_server.start()
    database_server.recreate()
    return database_server


@pytest.fixture(scope="session")
def mongo_server(net):
    server = Mongo(net, scratch.directory("mongo"))
    yield server.start()
    server.stop(30)
    scratch.remove(server.directory)


@pytest.fixture
def mongo(mongo_server):
    """A server of MongoDB's protocol, with nothing in it."""
    if not mongo_server.running():
        mongo_server.start()
    mongo_server.clear()
    return mongo_server


@pytest.fixture
def daemon(net, tmp_path, redis, redis_server):
    """daemon("ami-gateway", AMI_HOST=...) starts one; settings given as None are left out.

    It knows this test's Redis, as the user that it has there, and the test's JWT secret. All are ended
    with the test, and one that crashed, leaked or made a sanitizer speak fails it.
    """
    made, numbers = [], itertools.count(1)

    def make(name, until="ready", options=(), **settings):
        every = {**redis_server.settings_of(name), **tokens.SETTINGS, **settings}
        every = {key: str(value) for key, value in every.items() if value is not None}
        one = Daemon(name, net, tmp_path / f"{name}-{next(numbers)}", every, options)
        made.append(one)
        return one.start(until)

    yield make
    faults = []
    for one in reversed(made):
        try:
            one.check()
        except AssertionError as fault:
            faults.append(str(fault))
    assert not faults, "\n\n".join(faults)


@pytest.fixture
def session(redis):
    """session("agent", "1001") -> a live session with .token and .headers."""
    def make(role="agent", extension="1001", **options):
        return tokens.Session(redis, role, extension, **options)
    return make


@pytest.fixture
def rest():
    """rest(daemon, session) -> a client of that daemon with that session's token."""
    def make(daemon, session=None):
        return Rest(daemon.url, session and session.token)
    return make


@pytest.fixture
def websocket(recording):
    """websocket(daemon, session) -> a logged-in WebSocket; closed at the end."""
    made = []

    def make(daemon, session, **fields):
        made.append(WebSocket.login(daemon.ws_url, session.token, recording, **fields))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def nginx(net, tmp_path):
    """nginx(server_block) starts one; {listen} in the text becomes its address."""
    made = []

    def make(server, http=""):
        made.append(Nginx(net, tmp_path / f"nginx-{len(made)}", server, http))
        return made[-1].start()

    yield make
    for one in made:
        one.stop()
