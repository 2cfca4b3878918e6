"""A whole local stack, once per session, on a block of addresses of its own."""

import pytest

from lib.daemon import BIN
from lib.net import Net
from lib.stack import Stack


@pytest.fixture(scope="session")
def stack(tmp_path_factory):
    """Nothing of it runs yet: stack.up("redis", ...) starts what a test needs. Wiped at the end,
    after its messages were held against their schemas and its logs searched for crashes."""
    block = Net()
    stack = Stack(block.prefix, tmp_path_factory.mktemp("stack"), BIN)
    yield stack
    try:
        stack.check()
    finally:
        stack.wipe()
        block.close()
