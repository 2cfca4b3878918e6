"""People at work on a stack: each an extension with a login, a phone and a WebSocket."""

import json
import os
import time

from lib.client import Rest, WebSocket
from lib.phone import Phone
from lib.process import wait_until


class Agent:
    """name, .rest (through nginx), .phone, .live (WebSocket; its messages go to .events())."""

    def __init__(self, office, extension):
        self.office, self.extension = office, str(extension)
        self.login = office.login(f"agent{extension}", office.password)
        self.token = self.login["jwt"]["token"]
        self.rest = Rest(office.stack.url, self.token)
        self.phone, self._live = None, None

    @property
    def live(self):
        if self._live is None:
            self._live = self.connect()
        return self._live

    def connect(self, **fields):
        stack = self.office.stack
        return WebSocket.login(stack.ws_url, self.token, self.office.recording, **fields)

    def reconnect(self):
        """With the cursor of the last event of calls that came, as a client should."""
        seen = [message["cursor"] for message in self.live.messages
                if message.get("type") == "event" and message["cursor"].startswith("call:")]
        since = seen[-1:] or [cursor for cursor in self.live.messages[0]["cursors"]
                              if cursor.startswith("call:")]
        before, self._live = self._live, self.connect(since=since)
        self._live.messages[:0] = before.messages
        before.close()

    def heard(self, call_id):
        """Cursor and event of what came of this call (call:*)."""
        return [(message["cursor"], message["event"]) for message in self.live.messages
                if message.get("type") == "event" and message["cursor"].startswith("call:")
                and message["event"].get("callId") == call_id]

    def hears(self, kind, call_id, timeout=10):
        """Waits for an event of this call; one that came already counts."""
        deadline = time.monotonic() + timeout
        while True:
            for _, event in self.heard(call_id):
                if event["eventType"] == kind:
                    return event
            left = deadline - time.monotonic()
            told = [event["eventType"] for _, event in self.heard(call_id)]
            assert left > 0, f"{self.extension} heard no {kind} of {call_id}, only {told}"
            try:
                message = self.live.receive(left)
            except AssertionError:
                continue
            assert message is not None, f"{self.extension}: closed, {self.live.close_code}"

    # --- calls by REST; each answers what was promised, or fails

    def ask(self, method, path, body=None, status=202):
        answer = self.rest.call(method, "/api/ami/calls" + path, body)
        assert answer.status_code == status, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json()

    def originate(self, to):
        return self.ask("POST", "/originate", {"to": to})["callId"]

    def hold(self, call_id):
        return self.ask("PUT", f"/{call_id}/hold")

    def unhold(self, call_id):
        return self.ask("PUT", f"/{call_id}/unhold")

    def transfer(self, call_id, to):
        return self.ask("POST", f"/{call_id}/transfer", {"target": to})

    def hang_up(self, call_id):
        return self.ask("DELETE", f"/{call_id}")

    def call(self, call_id):
        return self.ask("GET", f"/{call_id}", status=200)

    def state(self, call_id):
        return self.call(call_id)["state"]

    def sees(self, call_id, state, timeout=10):
        """GET says so, sooner or later; errors on the way count as no."""
        wait_until(lambda: self.state(call_id) == state, timeout, f"{call_id} {state}")
        return self.call(call_id)


class Office:
    """Its phones run, and are registered."""

    def __init__(self, stack, recording):
        self.stack, self.recording = stack, recording
        self._agents, self._admin = {}, None

    def login(self, username, password):
        answer = Rest(self.stack.url).post("/api/auth/login",
                                           {"username": username, "password": password})
        assert answer.status_code == 200, answer.text
        return answer.json()

    @property
    def password(self):
        """Of all agents: the demo's, which may have made them before."""
        path = self.stack.run / "secrets/agents"
        if not path.exists():
            path.touch(0o600)
            path.write_text(os.urandom(12).hex())
        return path.read_text()

    @property
    def admin(self):
        if self._admin is None:
            login = self.login("admin", self.stack.secret("superuser"))
            self._admin = Rest(self.stack.url, login["jwt"]["token"])
        return self._admin

    def agent(self, extension, at=None):
        """Logged in, and listening to the own events. at: the stack of the phone, if another."""
        extension = str(extension)
        if extension not in self._agents:
            user = {"username": f"agent{extension}", "password": self.password,
                    "role": "agent", "extension": extension}
            answer = self.admin.post("/api/users", user)
            assert answer.status_code in (201, 409), answer.text
            agent = Agent(self, extension)
            agent.phone = Phone((at or self.stack).prefix, extension)
            assert agent.live
            self._agents[extension] = agent
        return self._agents[extension]

    def agents(self, *extensions):
        return [self.agent(extension) for extension in extensions]

    def channels(self):
        """Uniqueids, as Asterisk itself says."""
        lines = self.stack.cli("core show channels concise").splitlines()
        return {line.rsplit("!", 1)[1] for line in lines if line.count("!") >= 12}

    def quiet(self):
        """Every phone is on the hook, and Asterisk has no channel."""
        for agent in self._agents.values():
            agent.phone.hangup()

        def silent():
            if self.channels():
                self.stack.cli("channel request hangup all")
            return not self.channels()
        wait_until(silent, what="phones on the hook")

    def talk(self, caller, callee):
        """caller calls callee by REST, both answer. Returns the call's id."""
        began = time.monotonic()
        call_id = caller.originate(callee.extension)
        caller.phone.rings(began)
        caller.phone.answer()
        callee.phone.rings(began)
        callee.phone.answer()
        callee.phone.talks(began)
        caller.sees(call_id, "established")
        return call_id

    def ring(self, caller, callee):
        """As talk(), but the callee does not answer yet."""
        began = time.monotonic()
        call_id = caller.originate(callee.extension)
        caller.phone.rings(began)
        caller.phone.answer()
        callee.phone.rings(began)
        wait_until(lambda: any(channel.get("extension") == callee.extension
                               for channel in caller.call(call_id)["channels"]),
                   what=f"{callee.extension} rings")
        return call_id

    def close(self):
        for agent in self._agents.values():
            agent.phone.close()
            agent.live.close()


def value_of(text):
    """A field of call:<callId> as GET shows it: "" is nothing, JSON is JSON."""
    if text in (None, ""):
        return None
    try:
        return json.loads(text)
    except ValueError:
        return text
