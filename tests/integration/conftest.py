"""ami-gateway in front of an Asterisk that says what a test wants."""

import pytest

from lib.fake_ami import FakeAmi


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
