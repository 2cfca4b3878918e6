"""Transfers as an agent of an office asks for them, and what came of each."""

import json
import time

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


class Scene:
    """1001 called 1002, and they talk. 1001 is to transfer 1002 to 1003."""

    def __init__(self, office, ledger):
        self.office, self.ledger = office, ledger
        self.ann, self.bob, self.eve = office.agents(1001, 1002, 1003)
        self.call_id = office.talk(self.ann, self.bob)
        self.began = time.monotonic()

    def transfer(self, kind, **fields):
        return Transfer(self.ann, self.call_id, kind, **fields)

    def consults(self):
        """1001 speaks with 1003 while 1002 hears music."""
        transfer = self.transfer("managed", target="1003")
        self.eve.phone.rings(self.began)
        transfer.becomes("ringing")
        self.eve.phone.answer()
        transfer.becomes("answered")
        return transfer

    def together(self, *extensions):
        """Asterisk has these phones in one bridge, and no other channel."""
        def joined():
            lines = self.office.stack.cli("core show channels concise").splitlines()
            rows = [line.split("!") for line in lines if line.startswith("PJSIP/")]
            bridges = {row[-2] for row in rows}
            phones = sorted(row[0][6:10] for row in rows)
            return phones == sorted(extensions) and len(bridges) == 1 and "" not in bridges
        wait_until(joined, what=f"{extensions} together")

    def back_at_the_agent(self, transfer, reason):
        """1001's phone rings again; answered, it has 1002."""
        self.ann.phone.rings(self.began)
        self.ann.phone.answer()
        assert transfer.becomes("rolled_back")["reason"] == reason
        self.together("1001", "1002")

    def told(self, transfer, *states):
        """These states, in this order, each by one event."""
        assert [state for _, state in transfer.told(self.ledger.redis)] == list(states)
