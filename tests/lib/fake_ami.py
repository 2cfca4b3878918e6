"""An Asterisk that a test can make misbehave: an AMI server with every answer under control."""

import hashlib
import os
import socket
import struct
import threading

from lib.process import wait_until

BANNER = b"Asterisk Call Manager/11.0.0\r\n"


def message(*headers):
    """message(("Event", "Hangup"), ...) -> bytes"""
    lines = b"".join(k.encode() + b": " + (v if isinstance(v, bytes) else str(v).encode()) + b"\r\n"
                     for k, v in headers)
    return lines + b"\r\n"


def event(name, **headers):
    return message(("Event", name), ("Privilege", "call,all"), *headers.items())


def answer(request, response="Success", **headers):
    return message(("Response", response), ("ActionID", request["ActionID"]), *headers.items())


def listing(request, complete, items=()):
    """The answer to a list action: items are (name, headers)."""
    action_id = request["ActionID"]
    return (message(("Response", "Success"), ("ActionID", action_id), ("EventList", "start"),
                    ("Message", "will follow"))
            + b"".join(message(("Event", name), ("ActionID", action_id), *headers.items())
                       for name, headers in items)
            + message(("Event", complete), ("ActionID", action_id), ("EventList", "Complete"),
                      ("ListItems", len(items))))


class Connection:
    def __init__(self, server, sock):
        self.server, self.socket = server, sock
        self.events = False
        self.requests, self.challenge, self.sent = [], None, b""
        self.closed = threading.Event()
        self._lock = threading.Lock()

    def send(self, data):
        with self._lock:
            try:
                self.socket.sendall(data)
            except OSError:
                pass

    def close(self, reset=False):
        if reset:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        try:
            self.socket.shutdown(socket.SHUT_RDWR) if not reset else None
        except OSError:
            pass
        self.socket.close()
        self.closed.set()

    def serve(self):
        if self.server.banner:
            self.send(self.server.banner)
        received = b""
        try:
            while data := self.socket.recv(65536):
                received += data
                while b"\r\n\r\n" in received:
                    block, received = received.split(b"\r\n\r\n", 1)
                    self.sent += block + b"\r\n\r\n"
                    self._take(block)
        except OSError:
            pass
        self.closed.set()

    def _take(self, block):
        request = {}
        for line in block.split(b"\r\n"):
            key, _, value = line.decode().partition(":")
            request.setdefault(key, value.strip())
        self.requests.append(request)
        self.server.requests.append(request)
        handler = self.server.handlers.get(request.get("Action"), self.server.default)
        reply = handler(self, request)
        if reply:
            self.send(reply)


class FakeAmi:
    """handlers: action -> function(connection, request) that returns bytes, or None to stay silent.

    channels, devices, queues: items of the lists, as (event name, headers).
    """

    def __init__(self, net, username="mayday", secret="ami-secret", systemname=""):
        self.host, self.port = net.address(), 5038
        self.username, self.secret, self.systemname = username, secret, systemname
        self.version = "22.10.1"
        self.banner, self.md5, self.filters_known = BANNER, True, True
        self.channels, self.devices, self.queues = [], [], []
        self.connections, self.requests, self.accepting = [], [], True
        self.handlers = {
            "Challenge": self._challenge, "Login": self._login, "Filter": self._filter,
            "Ping": lambda c, r: answer(r, Ping="Pong", Timestamp="1.0"),
            "CoreSettings": lambda c, r: answer(r, AsteriskVersion=self.version,
                                                SystemName=self.systemname),
            "CoreShowChannels": lambda c, r: listing(r, "CoreShowChannelsComplete", self.channels),
            "DeviceStateList": lambda c, r: listing(r, "DeviceStateListComplete", self.devices),
            "QueueStatus": lambda c, r: listing(r, "QueueStatusComplete", self.queues),
        }
        self.default = lambda c, r: answer(r, Message="done")
        self.filters = []
        self._listener = None
        self.listen()

    @property
    def settings(self):
        return {"AMI_HOST": self.host, "AMI_PORT": self.port, "AMI_USERNAME": self.username,
                "AMI_SECRET": self.secret, "AMI_TIMEOUT_MS": 2000, "AMI_PING_MS": 500}

    def listen(self):
        self._listener = socket.create_server((self.host, self.port), reuse_port=True)
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def refuse(self):
        """Connections are refused from now on, as when Asterisk is not running."""
        if self._listener:
            self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            self._listener = None

    def _accept(self, listener):
        try:
            while True:
                sock, _ = listener.accept()
                connection = Connection(self, sock)
                self.connections.append(connection)
                threading.Thread(target=connection.serve, daemon=True).start()
        except OSError:
            pass

    def _challenge(self, connection, request):
        if not self.md5:
            return answer(request, "Error", Message="Must specify AuthType")
        connection.challenge = os.urandom(4).hex()
        return answer(request, Challenge=connection.challenge)

    def _login(self, connection, request):
        key = hashlib.md5(((connection.challenge or "") + self.secret).encode()).hexdigest()
        good = request.get("Username") == self.username and (
            request.get("Key") == key or request.get("Secret") == self.secret)
        if not good:
            connection.send(answer(request, "Error", Message="Authentication failed"))
            connection.close()
            return None
        reply = answer(request, Message="Authentication accepted")
        if request.get("Events") != "off":
            connection.events = True
            reply += message(("Event", "FullyBooted"), ("Privilege", "system,all"),
                             ("Status", "Fully Booted"))
        return reply

    def _filter(self, _, request):
        if "MatchCriteria" in request and not self.filters_known:
            return answer(request, "Error", Message="Filter did not compile.")
        self.filters.append(request)
        return answer(request, Message="Success")

    @property
    def listener(self):
        """The connection that gets the events."""
        alive = [c for c in self.connections if c.events and not c.closed.is_set()]
        assert len(alive) <= 1, "two connections get events at once"
        return alive[0] if alive else None

    def wait_listener(self, timeout=15):
        """Waits until somebody is logged in with events on and has its snapshot."""
        def ready():
            connection = self.listener
            return connection and any(r["Action"] == "QueueStatus"
                                      for r in connection.requests) and connection
        return wait_until(ready, timeout, "a client with events on")

    def emit(self, data):
        """To whoever listens; lost when nobody does, as with Asterisk."""
        connection = self.listener
        if connection:
            connection.send(data)

    def cut(self, reset=False):
        for connection in self.connections:
            if not connection.closed.is_set():
                connection.close(reset)

    def asked(self, action):
        return [r for r in self.requests if r.get("Action") == action]

    def stop(self):
        self.refuse()
        self.cut()
