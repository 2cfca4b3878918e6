"""ami-gateway in front of an Asterisk that says what a test wants; auth-svc and its superuser."""

import pytest

from lib.client import Rest
from lib.fake_ami import FakeAmi
from lib.who import NAME, PASSWORD


@pytest.fixture
def ami(net):
    server = FakeAmi(net)
    yield server
    server.stop()


@pytest.fixture
def gateway(daemon, ami):
    def make(until="ready", **settings):
        return daemon("ami-gateway", until, **{**ami.settings, **settings})
    return make


@pytest.fixture
def auth(daemon, database):
    """auth(**settings) -> a Rest client of an auth-svc that has made its superuser."""
    def make(until="ready", **settings):
        settings = {"AUTH_SUPERUSER_NAME": NAME, "AUTH_SUPERUSER_PASSWORD": PASSWORD,
                    **database.settings, **settings}
        one = daemon("auth-svc", until=until, **settings)
        client = Rest(one.url)
        client.daemon = one
        return client
    return make
