"""A whole local stack, once per session, on a block of addresses of its own."""

import pytest

from lib import scratch
from lib.daemon import BIN
from lib.ledger import Ledger
from lib.net import Net
from lib.office import Office
from lib.recording import Recording
from lib.stack import Stack


@pytest.fixture(scope="session")
def stack():
    """Nothing of it runs yet: stack.up("redis", ...) starts what a test needs. Wiped at the end,
    after its messages were held against their schemas and its logs searched for crashes."""
    block = Net()
    stack = Stack(block.prefix, scratch.directory("stack"), BIN)
    yield stack
    try:
        stack.check()
    finally:
        stack.wipe()
        scratch.remove(stack.run)
        block.close()


@pytest.fixture(scope="module")
def office(stack):
    """Everything runs; office.agent(1001) to 1003 is a person with a phone, a login and a
    WebSocket."""
    stack.up("all", "phone@1001", "phone@1002", "phone@1003")
    recording = Recording()
    office = Office(stack, recording)
    yield office
    office.close()
    recording.finish()


@pytest.fixture
def ledger(office):
    """What is written during the test; then all calls are hung up and the books are checked."""
    office.quiet()
    ledger = Ledger(office)
    yield ledger
    office.quiet()
    ledger.check()
