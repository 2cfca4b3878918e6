"""Transfers: from the request to the wire, many at once, and a killed instance. Asterisk is played
by the bench, its dialplan too."""

import http.client
import json
import time

from rig import AMI_SECRET, Rig, resident_mb

from lib.fake_ami import FakeAmi, answer
from lib.fake_dialplan import FakeDialplan
from lib.process import wait_until
from lib.transfers import BASE

NO_DATABASE = {"DB_HOST": "127.255.255.254", "DB_USER": "user", "DB_PASSWORD": "password",
               "DB_NAME": "mayday"}


class Desk:
    """A transfer-svc, a gateway, an Asterisk that takes every Redirect, and an agent who asks."""

    def __init__(self, rig):
        self.rig, self.redis = rig, rig.redis.client
        self.ami = FakeAmi(rig.net, secret=AMI_SECRET)
        settings = {name: str(value) for name, value in self.ami.settings.items()
                    if name != "AMI_SECRET"}
        rig.callback(self.ami.stop)
        self.wire = {}  # call -> when its Redirect arrived
        self.tells = False  # the dialplan goes on by itself
        self.ami.handlers["Redirect"] = self._redirect
        self.gateway = rig.daemon("ami-gateway", **settings)
        self.service = self.start()
        self.pbx = FakeDialplan(self.redis)
        self.headers = {**rig.session().headers, "Content-Type": "application/json"}
        self.http = http.client.HTTPConnection(self.service.listen, timeout=10)
        wait_until(lambda: self.redis.hget("pbx:main", "state") == "up")

    def start(self):
        return self.rig.daemon("transfer-svc", TRANSFER_LEASE_TTL_MS="1000", **NO_DATABASE)

    def _redirect(self, _, request):
        self.wire[request["Channel"]] = time.monotonic()
        if self.tells:
            transfer_id = request["Exten"].split(".")[1]
            self.pbx.step(transfer_id, "trying")
            self.pbx.step(transfer_id, "joined")
        return answer(request, Message="Redirect successful")

    def begin(self, call_id):
        """(id, when it was asked for)"""
        body = json.dumps({"callId": call_id, "target": "1003"})
        asked = time.monotonic()
        self.http.request("POST", f"{BASE}/blind", body, self.headers)
        reply = self.http.getresponse()
        text = reply.read()
        assert reply.status == 202, text
        return json.loads(text)["transferId"], asked

    def end_all(self, ids):
        """The dialplan tells the rest of each story; returns when all are over."""
        pipe = self.redis.pipeline(transaction=False)
        for transfer_id in ids:
            for step in ("trying", "joined"):
                self.pbx.step(transfer_id, step, pipe)
        pipe.execute()
        self.wait_over(ids)

    def wait_over(self, ids):
        wait_until(lambda: self.redis.zcard("transfers:deadlines") == 0, 120, "all are over")
        states = {self.redis.hget(f"transfer:{each}", "state") for each in ids}
        assert states == {"completed"}, states


def to_the_wire(rate=50, seconds=6):
    """p99 in ms of POST to Redirect in Asterisk's hands, at so many a second, while what came of those
    before is told."""
    with Rig() as rig:
        desk = Desk(rig)
        desk.tells = True
        calls = [desk.pbx.call(f"c{number}") for number in range(rate * seconds)]
        asked, ids, begin = {}, [], time.monotonic() + 0.1
        for number, call_id in enumerate(calls):
            time.sleep(max(0.0, begin + number / rate - time.monotonic()))
            transfer_id, asked[call_id] = desk.begin(call_id)
            ids.append(transfer_id)
        channel = "PJSIP/1002-00000002-{}".format
        wait_until(lambda: len(desk.wire) == len(calls), what="every Redirect arrived")
        desk.wait_over(ids)
        spans = sorted(desk.wire[channel(each)] - asked[each] for each in calls)
        return 1000 * spans[int(len(spans) * 0.99)]


def under_way(count=2000):
    """Transfers a second, from the first request to the last end, with all under way at once."""
    with Rig() as rig:
        desk = Desk(rig)
        calls = [desk.pbx.call(f"c{number}") for number in range(count)]
        began = time.monotonic()
        ids = [desk.begin(call_id)[0] for call_id in calls]
        assert desk.redis.zcard("transfers:deadlines") == count
        desk.end_all(ids)
        return count / (time.monotonic() - began)


def memory(count=2000):
    """MB that the daemon holds with so many under way."""
    with Rig() as rig:
        desk = Desk(rig)
        ids = [desk.begin(desk.pbx.call(f"c{number}"))[0] for number in range(count)]
        assert desk.redis.zcard("transfers:deadlines") == count
        held = resident_mb(desk.service.pid)
        desk.end_all(ids)
        return max(held, resident_mb(desk.service.pid))


def killed(count=500, second=False):
    """Seconds from the death of an instance to the right end of all it had under way: by itself when
    it is started again, or by a second one that was there."""
    with Rig() as rig:
        desk = Desk(rig)
        if second:
            desk.start()
        ids = [desk.begin(desk.pbx.call(f"c{number}"))[0] for number in range(count)]
        desk.service.kill9()
        began = time.monotonic()
        if not second:
            desk.start()
        desk.end_all(ids)
        return time.monotonic() - began


BENCHES = [
    ("transfer: POST to Redirect on the wire, p99", to_the_wire, "ms", 5, "at most"),
    ("transfer: 2,000 under way, begun and ended", under_way, "a second", 200, "at least"),
    ("transfer: memory with 2,000 under way", memory, "MB", None, ""),
    ("transfer: 500 under way, killed, all at the end", killed, "s", 10, "at most"),
    ("transfer: the same, by a second instance", lambda: killed(second=True), "s", 10, "at most"),
]
