"""Loopback addresses of one test session: every server gets one of its own, on its usual port."""

import errno
import os
import random
import socket

LOCK_PORT = 1
BLOCK = 253  # addresses: .1 to .253; .254 holds the lock


class Net:
    """Blocks of addresses (127.a.b.1 ...) that no other session holds at the same time: one, and
    more when it is used up.

    MAYDAY_TEST_NET=127.a keeps to one second octet; without it the blocks are chosen at random.
    """

    def __init__(self):
        self._locks, self._used = [], BLOCK
        self.prefix = self._next_block()  # of the first block

    def _next_block(self):
        wanted = os.environ.get("MAYDAY_TEST_NET")
        while True:
            first = wanted or f"127.{random.randint(64, 250)}"
            prefix = f"{first}.{random.randint(0, 255)}"
            lock = socket.socket()
            try:
                lock.bind((f"{prefix}.254", LOCK_PORT))
            except OSError as error:
                lock.close()
                if error.errno != errno.EADDRINUSE:
                    raise
                continue
            self._locks.append(lock)
            self._block, self._used = prefix, 0
            return prefix

    def address(self):
        if self._used == BLOCK:
            self._next_block()
        self._used += 1
        return f"{self._block}.{self._used}"

    def close(self):
        for lock in self._locks:
            lock.close()
