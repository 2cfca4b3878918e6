"""Calls and the dialplan's steps as transfer-svc sees them, without Asterisk: the test is
call-lifecycle, ami-gateway and Asterisk at once."""

import json
import time

CHANNELS = {"1001": ("PJSIP/1001-00000001", "1.1"), "1002": ("PJSIP/1002-00000002", "1.2"),
            "1003": ("PJSIP/1003-00000003", "1.3")}


class FakeDialplan:
    def __init__(self, redis):
        self.redis, self._numbers = redis, 0
        self.pbx("up")

    def pbx(self, state):
        self.redis.hset("pbx:main", mapping={"state": state, "aliveAt": int(time.time() * 1000)})

    # --- calls

    def call(self, call_id="c1", state="established", agent="1001", customer="1002"):
        """agent talks with customer."""
        self.redis.hset(f"call:{call_id}", mapping={
            "callId": call_id, "pbx": "main", "state": state,
            "extensions": json.dumps([agent, customer])})
        self.together(call_id, agent, customer)
        return call_id

    def together(self, call_id, *parties, apart=()):
        """parties share a bridge; those who are apart are up, and in none."""
        legs = []
        for party in (*parties, *apart):
            channel, uniqueid = CHANNELS[party]
            leg = {"uniqueid": f"{call_id}-{uniqueid}", "channel": f"{channel}-{call_id}",
                   "state": "up", "extension": party, "createdAt": 1}
            others = [each for each in parties if each != party]
            if party in parties and others:
                leg |= {"bridge": "b1", "peer": f"{call_id}-{CHANNELS[others[0]][1]}"}
            legs.append(leg)
        self.redis.hset(f"call:{call_id}", "channels", json.dumps(legs))

    # --- what is said

    def step(self, transfer_id, step, pipe=None, **headers):
        """UserEvent(MaydayTransfer) of the dialplan."""
        self._numbers += 1
        event = {"t": int(time.time() * 1000), "n": self._numbers, "Event": "UserEvent",
                 "Channel": "PJSIP/1003-00000003", "UserEvent": "MaydayTransfer",
                 "Id": transfer_id, "Step": step, **headers}
        (pipe or self.redis).xadd("events:ami:main", {"e": json.dumps(event)})

    def rings(self, call_id, extension):
        """call-lifecycle: call:ringing."""
        event = {"v": 1, "eventType": "call:ringing", "callId": call_id, "pbx": "main",
                 "timestamp": int(time.time() * 1000), "redisKey": f"call:{call_id}",
                 "data": {"state": "transferring", "extension": extension}}
        self.redis.xadd("events:call", {"e": json.dumps(event)})

    def reply(self, action, outcome, message="said so"):
        body = {"v": 1, "id": action["id"], "outcome": outcome, "message": message, "fields": {}}
        self.redis.xadd(action["replyTo"], {"r": json.dumps(body)})

    # --- what is asked

    def actions(self, call_id=None):
        found = [json.loads(fields["a"]) for _, fields in self.redis.xrange("actions:main")]
        return [each for each in found if call_id in (None, each["callId"])]

    def extens(self, call_id=None):
        """Where channels were sent: (channel, extension without the transfer's id), in order."""
        sent = []
        for action in self.actions(call_id):
            fields = dict(action["fields"])
            if action["action"] == "Hangup":
                sent.append((fields["Channel"], "hangup"))
                continue
            for extra in ("", "Extra"):
                if f"{extra}Channel" in fields:
                    assert fields[f"{extra}Context"] == "mayday-transfer"
                    assert len(fields[f"{extra}Exten"]) <= 79
                    letter, _, *rest = fields[f"{extra}Exten"].split(".")
                    sent.append((fields[f"{extra}Channel"], ".".join([letter, *rest])))
        return sent
