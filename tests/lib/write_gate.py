"""A wire to a MongoDB server that stops before the n-th write, so that whoever writes can be killed
between any two."""

import struct
import threading

from lib.cut import Wire

OP_MSG = 2013
WRITES = (b"insert", b"update", b"delete", b"findAndModify")
BESIDE = (None, "audit", "jobs", "job_parts")  # written by the clock


def written(message):
    """The collection that this message writes to, or None (OP_MSG, one body section)."""
    if struct.unpack_from("<i", message, 12)[0] != OP_MSG or message[20] != 0:
        return None
    command, _, rest = message[26:].partition(b"\0")
    return rest[4:].partition(b"\0")[0].decode() if command in WRITES else None


class WriteGate(Wire):
    """Nothing is held until hold(n): then the n-th write from now on does not pass, nor what comes
    after it; held says so. release() lets others pass; what was held is lost. What is written by the
    clock does not count."""

    def __init__(self, host, port, target):
        self.held, self._left, self._gate = threading.Event(), None, threading.Lock()
        self._open = threading.Event()
        self._open.set()
        super().__init__(host, port, target)

    def hold(self, number):
        with self._gate:
            self._left = number

    def release(self):
        with self._gate:
            self._left = None
        self.held.clear()
        self._open.set()

    def _pass(self, message):
        with self._gate:
            if self._left is not None and written(message) not in BESIDE:
                self._left -= 1
                if self._left == 0:
                    self._open.clear()
                    self.held.set()
        if not self._open.is_set():
            self._open.wait()
            raise OSError("what was held is lost")

    def _carry(self, client, server):
        threading.Thread(target=self._back, args=(server, client), daemon=True).start()
        try:
            with client.makefile("rb") as stream:
                while len(head := stream.read(4)) == 4:
                    message = head + stream.read(struct.unpack("<i", head)[0] - 4)
                    self._pass(message)
                    server.sendall(message)
        except (OSError, ValueError):
            pass
        client.close()
        server.close()

    @staticmethod
    def _back(server, client):
        try:
            while data := server.recv(65536):
                client.sendall(data)
        except OSError:
            pass
        client.close()
