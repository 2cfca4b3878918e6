"""Transfers as an agent of an office asks for them, and what came of each."""

import json

from lib.process import wait_until

BASE = "/api/enhanced-transfers"


class Transfer:
    """One under way: .id, .call_id; asked for by an agent (office.Agent)."""

    def __init__(self, agent, call_id, kind, **fields):
        self.agent, self.call_id = agent, call_id
        answer = agent.rest.post(f"{BASE}/{kind}", {"callId": call_id, **fields})
        assert answer.status_code == 202, answer.text
        self.id = answer.json()["transferId"]

    def shown(self):
        return self.agent.rest.get(f"{BASE}/{self.id}/state").json()

    def becomes(self, state, timeout=15):
        """Waits for this state; returns the transfer then."""
        try:
            wait_until(lambda: self.shown().get("state") == state, timeout)
        except AssertionError:
            raise AssertionError(f"it did not become {state}: {self.shown()}") from None
        return self.shown()

    def ask(self, command):
        """complete, cancel, toggle, conference: the answer."""
        rest = self.agent.rest
        if command == "complete":
            return rest.post(f"{BASE}/complete", {"transferId": self.id})
        if command == "cancel":
            return rest.delete(f"{BASE}/{self.id}")
        return rest.post(f"{BASE}/{self.id}/{command}")

    def does(self, command):
        answer = self.ask(command)
        assert answer.status_code == 202, answer.text

    def told(self, redis):
        """The states of its events, in order."""
        events = [json.loads(fields["e"]) for _, fields in redis.xrange("events:transfer")]
        return [(event["eventType"].partition(":")[2], event["data"]["state"])
                for event in events if event["data"]["transferId"] == self.id]
