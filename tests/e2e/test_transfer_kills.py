"""Each daemon is killed, and Redis started again, in every state of a transfer: three at once, on real
phones, one step after the other. What moves a transfer on is held back by stopping who tells it, so
that each state can be seen, and what is killed is killed in it."""

import contextlib
import json
import os
import signal
import time

import pytest

from lib.lonely import Lonely
from lib.office import Office
from lib.process import wait_until
from lib.recording import Recording
from lib.transfers import Transfer

PARTS = ["transfer-svc", "ami-gateway", "call-lifecycle", "redis"]
TRIOS = [(1001, 1002, 1003), (1004, 1005, 1006), (1007, 1008, 1010)]  # 1009 is in the queue short
# The agent's phone rings longer in the dialplan than transfer-svc waits for it.
SETTINGS = {"TRANSFER_BACK_S": 1, "TRANSFER_GRACE_MS": 9000, "TRANSFER_ACTION_MS": 30000,
            "TRANSFER_REQUESTED_MS": 60000}
LIVE = {"requested", "dialing", "consulting", "ringing", "queued", "answered", "completing",
        "cancelling", "rolling_back", "falling_back"}


@pytest.fixture(scope="module")
def office(stack):
    stack.up("all", *(f"phone@{extension}" for trio in TRIOS for extension in trio))
    stack.configure("transfer-svc", **SETTINGS)
    recording = Recording()
    office = Office(stack, recording)
    lonely = Lonely(stack, stack.redis_client())
    yield office
    office.quiet()
    office.close()
    recording.finish()
    stack.configure("transfer-svc")
    stack.stop(*(f"phone@{extension}" for trio in TRIOS[1:] for extension in trio))
    lonely.check()


class Stage:
    """Three calls at once; in each the first of the trio is to send the second to the third."""

    def __init__(self, office, part):
        self.office, self.stack, self.part = office, office.stack, part
        self.redis = self.stack.redis_client()
        self.people = [office.agents(*trio) for trio in TRIOS]
        self.calls = [office.talk(ann, bob) for ann, bob, _ in self.people]
        self.began = time.monotonic()
        self.transfers, self.seen = [], set()

    def begin(self, kind, **fields):
        number = len(self.transfers)
        self.transfers.append(Transfer(self.people[number][0], self.calls[number], kind, **fields))

    def states(self):
        return [self.redis.hget(f"transfer:{each.id}", "state") for each in self.transfers]

    def all_in(self, *states):
        try:
            wait_until(lambda: self.states() == list(states), 20)
        except AssertionError:
            raise AssertionError(f"{self.states()}, not {states}") from None
        self.seen |= set(states)

    def hold(self, part):
        """It says nothing until it goes on, or is killed and born anew."""
        os.kill(self.stack.pid(part), signal.SIGSTOP)

    def go_on(self, part):
        os.kill(self.stack.pid(part), signal.SIGCONT)

    def lose_what_was_taken(self):
        """A gateway that is held has asked for one entry already: it is perhaps sent, and so never
        again. Here that is none of ours."""
        action = {"v": 1, "id": "nothing", "action": "Ping", "fields": [],
                  "deadlineAt": int(time.time() * 1000) + 1000}
        self.redis.xadd("actions:main", {"a": json.dumps(action)})

    def ringing_is_told(self, *extensions):
        """What is told while the gateway is dead is not told again."""
        def told():
            entries = [json.loads(fields["e"]) for _, fields in self.redis.xrange("events:ami:main")]
            rings = [each["Channel"] for each in entries if each["Event"] == "Newstate"
                     and each["ChannelStateDesc"] == "Ringing"]
            return all(any(channel.startswith(f"PJSIP/{extension}-") for channel in rings)
                       for extension in extensions)
        wait_until(told, 20, f"{extensions} ring")

    def kill(self):
        pid = self.stack.pid(self.part)
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: self.stack.pid(self.part) not in (None, pid), 20,
                   f"{self.part} runs again")
        wait_until(self.redis.ping, 20, "Redis has loaded its data")

    def kill_and_hold(self, part):
        """What was held back stays so, if it is what is killed."""
        self.kill()
        if self.part == part:
            self.hold(part)

    def together(self, *extensions):
        def channels():
            return self.stack.cli("core show channels concise").splitlines()

        def joined():
            rows = [line.split("!") for line in channels() if line[6:10] in extensions]
            return len(rows) == len(extensions) and len({row[-2] for row in rows} - {""}) == 1
        try:
            wait_until(joined, 20)
        except AssertionError:
            raise AssertionError(f"{extensions} are not together: {self.states()}, {channels()}") from None


@pytest.fixture
def members(stack):
    stack.cli("queue add member PJSIP/1006 to short")
    yield
    stack.cli("queue remove member PJSIP/1006 from short")


@pytest.fixture
def running(stack, office):
    """What is held goes on, whatever becomes of the test."""
    yield
    for part in ("ami-gateway", "call-lifecycle"):
        with contextlib.suppress(TypeError, ProcessLookupError):
            os.kill(stack.pid(part), signal.SIGCONT)
    stack.up("all")
    office.quiet()


@pytest.mark.parametrize("part", PARTS)
def test_killed_in_every_state(office, members, running, part):
    stage = Stage(office, part)
    redis = stage.redis

    stage.hold("call-lifecycle")
    stage.hold("ami-gateway")
    stage.lose_what_was_taken()
    stage.begin("managed", target="1003")
    stage.begin("queue", queue="short", timeoutS=120)
    stage.begin("blind", target="1010", timeoutS=120)
    stage.all_in("requested", "requested", "requested")
    stage.kill_and_hold("call-lifecycle")
    stage.go_on("ami-gateway")

    stage.all_in("consulting", "queued", "dialing")
    stage.ringing_is_told("1003", "1010")
    stage.kill()
    stage.go_on("call-lifecycle")

    stage.all_in("ringing", "queued", "ringing")
    stage.kill()
    stage.people[0][2].phone.rings(stage.began)
    stage.people[0][2].phone.answer()
    stage.all_in("answered", "queued", "ringing")
    stage.people[2][2].phone.rings(stage.began)
    stage.people[2][2].phone.hangup()
    wait_until(lambda: stage.transfers[1].ask("cancel").status_code == 202, 20, "taken back")

    stage.all_in("answered", "cancelling", "rolling_back")
    stage.kill()
    back = stage.people[1][0].phone
    back.rings(stage.began)
    back.answer()
    stage.together("1004", "1005")

    due = int(redis.hget(f"transfer:{stage.transfers[2].id}", "deadlineAt"))
    wait_until(lambda: int(time.time() * 1000) > due - 1000, 20)
    wait_until(lambda: redis.hget("pbx:main", "state") == "up", 20, "Asterisk is connected")
    stage.hold("ami-gateway")
    stage.lose_what_was_taken()
    wait_until(lambda: stage.transfers[0].ask("complete").status_code == 202, 20, "completed")
    stage.all_in("completing", "cancelled", "falling_back")
    stage.kill()
    stage.go_on("ami-gateway")

    stage.all_in("completed", "cancelled", "rolled_back")
    stage.together("1002", "1003")
    stage.together("1004", "1005")
    wait_until(lambda: "PJSIP/1008" in stage.stack.cli("queue show support"), 20,
               "1008 waits in the fall-back queue")
    assert stage.seen >= LIVE
