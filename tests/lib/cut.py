"""A wire that can be cut: a TCP proxy between two parts of a stack."""

import contextlib
import selectors
import socket
import struct
import threading


class Wire:
    """Listens at (host, port), connects to target for each who comes. Intact at first.

    cut() ends every connection, and new ones are refused, until mend(). reset() is the same with
    RST instead of FIN, and lets new ones in at once. stall() lets nothing through, both ways, and
    says nothing: what was sent waits; flow() ends that.
    """

    def __init__(self, host, port, target):
        self.host, self.port, self.target = host, port, target
        self._pairs, self._lock = [], threading.Lock()
        self._flows = threading.Event()
        self._flows.set()
        self._listener = None
        self.connections = 0
        self.mend()

    def mend(self):
        if self._listener is None:
            self._listener = socket.create_server((self.host, self.port))
            threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def cut(self):
        listener, self._listener = self._listener, None
        if listener:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)  # wakes accept()
            listener.close()
        self._end()

    def reset(self):
        self._end(struct.pack("ii", 1, 0))

    def stall(self):
        self._flows.clear()

    def flow(self):
        self._flows.set()

    def close(self):
        self.flow()
        self.cut()

    def _end(self, linger=None):
        with self._lock:
            pairs, self._pairs = self._pairs, []
        for each in (one for pair in pairs for one in pair):
            with contextlib.suppress(OSError):
                if linger:
                    each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                else:
                    each.shutdown(socket.SHUT_RDWR)
                each.close()

    def _accept(self, listener):
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(self.target, 5)
            except OSError:
                client.close()
                continue
            with self._lock:
                self._pairs.append((client, server))
                self.connections += 1
            threading.Thread(target=self._carry, args=(client, server), daemon=True).start()

    def _carry(self, client, server):
        others = {client: server, server: client}
        with selectors.DefaultSelector() as selector, contextlib.suppress(OSError, ValueError):
            for one in others:
                selector.register(one, selectors.EVENT_READ)
            while True:
                for key, _ in selector.select(0.2):
                    self._flows.wait()
                    data = key.fileobj.recv(65536)
                    if not data:
                        raise OSError
                    others[key.fileobj].sendall(data)
                if client.fileno() < 0 or server.fileno() < 0:
                    return
        for one in others:
            one.close()
