"""What the demo speaks: REST, and the events of the WebSocket, printed as they arrive."""

import asyncio
import json
import threading
import time
import urllib.error
import urllib.request

import websockets

PATIENCE_S = 10
# What is worth a place on the line; the rest is in the call's timeline.
SHOWN = ("state", "deviceState", "heldBy", "heldMs", "kind", "from", "to", "reason", "causeText",
         "durationMs")


class Rest:
    def __init__(self, url):
        self.url = url

    def call(self, method, path, body=None, token=None):
        """(status, JSON or None)"""
        request = urllib.request.Request(self.url + path, method=method)
        if token:
            request.add_header("Authorization", f"Bearer {token}")
        if body is not None:
            request.add_header("Content-Type", "application/json")
            request.data = json.dumps(body).encode()
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
                status, text = answer.status, answer.read()
        except urllib.error.HTTPError as error:
            status, text = error.code, error.read()
        return status, json.loads(text) if text else None

    def ok(self, method, path, body=None, token=None):
        status, answer = self.call(method, path, body, token)
        assert 200 <= status < 300, f"{method} {path} answered {status}: {json.dumps(answer)}"
        return answer

    @staticmethod
    def pretty(answer):
        """One line for each field, and for each item of a list of objects."""
        lines = []
        for name, value in answer.items():
            if isinstance(value, list) and value and isinstance(value[0], dict):
                items = ",\n".join(f"    {json.dumps(item, ensure_ascii=False)}" for item in value)
                lines.append(f'  "{name}": [\n{items}]')
            else:
                lines.append(f'  "{name}": {json.dumps(value, ensure_ascii=False)}')
        return "{\n" + ",\n".join(lines) + "\n}"


class Live:
    """A logged-in WebSocket in a thread of its own; keeps and prints every event."""

    def __init__(self, url, token):
        self._events, self._taken, self._changed = [], 0, threading.Condition()
        self._welcome, self._failure = threading.Event(), None
        threading.Thread(target=lambda: asyncio.run(self._read(url, token)), daemon=True).start()
        assert self._welcome.wait(PATIENCE_S) and not self._failure, \
            f"the WebSocket does not greet: {self._failure}"

    def wait(self, kind, call_id):
        """The next event of that kind and call, after the one that was waited for last."""
        deadline = time.monotonic() + PATIENCE_S
        with self._changed:
            while True:
                while self._taken < len(self._events):
                    event = self._events[self._taken]
                    self._taken += 1
                    if event["eventType"] == kind and event.get("callId") == call_id:
                        return event
                left = deadline - time.monotonic()
                assert left > 0, f"no {kind} of {call_id} came in {PATIENCE_S} s"
                self._changed.wait(left)

    async def _read(self, url, token):
        try:
            async with websockets.connect(url, compression=None) as socket:
                await socket.send(json.dumps({"type": "auth", "token": token}))
                async for text in socket:
                    self._message(json.loads(text))
        except (OSError, websockets.WebSocketException) as error:
            self._failure = error
            self._welcome.set()

    def _message(self, message):
        if message["type"] == "welcome":
            topics = ", ".join(each["topic"] for each in message["topics"])
            print(f"  welcome: follows {topics}", flush=True)
            self._welcome.set()
        elif message["type"] == "event":
            self._event(message["event"])

    def _event(self, event):
        delay = time.time() * 1000 - event["timestamp"]
        data = ", ".join(f"{name} {value}" for name, value in event.get("data", {}).items()
                         if name in SHOWN)
        print(f"  {event['eventType']:<18} {event.get('extension', ''):<5} {delay:6.1f} ms  "
              f"{data}", flush=True)
        with self._changed:
            self._events.append(event)
            self._changed.notify_all()
