"""REST and WebSocket as a client speaks them."""

import asyncio
import json
import queue
import threading

import requests
import websockets

from lib import openapi

TIMEOUT = 10


class Rest:
    """Base address and token. Answers are requests.Response, held against proto/openapi.yaml."""

    def __init__(self, url, token=None):
        self.url, self.token = url, token

    def call(self, method, path, body=None, token=None, **options):
        headers = dict(options.pop("headers", {}))
        token = token or self.token
        if token:
            headers["Authorization"] = f"Bearer {token}"
        response = requests.request(method, self.url + path, json=body, headers=headers,
                                    timeout=options.pop("timeout", TIMEOUT), **options)
        openapi.check_answer(method, path, response)
        return response

    def get(self, path, **options):
        return self.call("GET", path, **options)

    def post(self, path, body=None, **options):
        return self.call("POST", path, body, **options)

    def put(self, path, body=None, **options):
        return self.call("PUT", path, body, **options)

    def delete(self, path, **options):
        return self.call("DELETE", path, **options)


def assert_error(response, status, code):
    """The one error shape, with this status and code."""
    assert response.status_code == status, (response.status_code, response.text)
    error = response.json()["error"]
    assert error["code"] == code, error
    assert isinstance(error["message"], str) and error["message"]
    assert set(error) <= {"code", "message", "details"}


class _Loop:
    """One asyncio loop in a thread of its own, for all WebSockets: pings are answered at once."""

    _loop = None

    @classmethod
    def run(cls, coroutine, timeout=TIMEOUT):
        if cls._loop is None:
            cls._loop = asyncio.new_event_loop()
            threading.Thread(target=cls._loop.run_forever, daemon=True).start()
        return asyncio.run_coroutine_threadsafe(coroutine, cls._loop).result(timeout)


class WebSocket:
    """Every message that arrives is kept in .messages, and validated when recording is given."""

    def __init__(self, url, recording=None, headers=None, subprotocols=None):
        self.messages, self.recording = [], recording
        self._arrived = queue.Queue()
        self._socket = _Loop.run(self._connect(url, extra_headers=headers,
                                               subprotocols=subprotocols))
        self._reader = asyncio.run_coroutine_threadsafe(self._read(), self._socket.loop)

    @staticmethod
    async def _connect(url, **options):
        return await websockets.connect(url, compression=None, max_size=2**22, max_queue=None,
                                        ping_interval=None, open_timeout=TIMEOUT, **options)

    async def _read(self):
        try:
            async for text in self._socket:
                self._arrived.put(json.loads(text))
        except websockets.ConnectionClosed:
            pass
        finally:
            self._arrived.put(None)

    @classmethod
    def login(cls, url, token, recording=None, **fields):
        """Connects and authenticates; .welcome is the answer."""
        socket = cls(url, recording)
        socket.send({"type": "auth", "token": token, **fields})
        socket.welcome = socket.wait_for("welcome")
        return socket

    def send(self, message):
        if isinstance(message, dict):
            if self.recording:
                self.recording.client(message)
            message = json.dumps(message)
        _Loop.run(self._socket.send(message))

    def receive(self, timeout=TIMEOUT):
        """The next message; None when the socket was closed. Fails when nothing comes."""
        try:
            message = self._arrived.get(timeout=timeout)
        except queue.Empty:
            raise AssertionError(
                f"no message within {timeout} s; so far: {self.messages}") from None
        if message is not None:
            self.messages.append(message)
            if self.recording:
                self.recording.server(message)
        else:
            self._arrived.put(None)
        return message

    def wait_for(self, kind, timeout=TIMEOUT):
        """The next message of this type ("welcome") or this event type ("call:ended")."""
        while True:
            message = self.receive(timeout)
            assert message is not None, f"closed ({self.close_code}) while waiting for {kind}"
            if kind in (message.get("type"), message.get("event", {}).get("eventType")):
                return message

    def silent(self, seconds):
        """True when nothing arrives for so long."""
        try:
            return self.receive(seconds) is None
        except AssertionError:
            return True

    @property
    def subprotocol(self):
        return self._socket.subprotocol

    @property
    def close_code(self):
        return self._socket.close_code

    def wait_closed(self, timeout=TIMEOUT):
        """Reads to the end; returns the close code."""
        while self.receive(timeout) is not None:
            pass
        return self.close_code

    def close(self):
        _Loop.run(self._socket.close())

    def cut(self):
        """Goes without a word."""
        _Loop.run(self._cut())

    async def _cut(self):
        self._socket.transport.abort()
