"""Loopback addresses of one test session: every server gets one of its own, on its usual port."""

import errno
import itertools
import os
import random
import socket

LOCK_PORT = 1


class Net:
    """A block of 254 addresses (127.a.b.1 ...) that no other session holds at the same time.

    MAYDAY_TEST_NET=127.a keeps to one second octet; without it the block is chosen at random.
    """

    def __init__(self):
        self._lock, self.prefix = self._claim()
        self._numbers = itertools.count(1)

    @staticmethod
    def _claim():
        wanted = os.environ.get("MAYDAY_TEST_NET")
        while True:
            first = wanted or f"127.{random.randint(64, 250)}"
            prefix = f"{first}.{random.randint(0, 255)}"
            lock = socket.socket()
            try:
                lock.bind((f"{prefix}.254", LOCK_PORT))
                return lock, prefix
            except OSError as error:
                lock.close()
                if error.errno != errno.EADDRINUSE:
                    raise

    def address(self):
        number = next(self._numbers)
        host, low = divmod(number - 1, 253)
        if host:
            raise RuntimeError("more than 253 addresses in one test session")
        return f"{self.prefix}.{low + 1}"

    def close(self):
        self._lock.close()
