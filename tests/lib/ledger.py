"""Whether what a stack has written agrees with itself and with Asterisk: nothing lost, nothing
twice, no ghost. Made before a test, asked after it."""

import collections
import contextlib
import json
import threading
import time

import redis

from lib.process import wait_until

AMI, CALLS = "events:ami:main", "events:call"
STREAMS = (AMI, CALLS, "events:agent", "events:ami", "actions:main")


class Watcher:
    """Reads the streams as they grow, as another daemon would: what it saw, Redis had accepted."""

    def __init__(self, client, since):
        self._client, self._since = client, dict(since)
        self.seen = {name: [] for name in since}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        while not self._stop.is_set():
            try:
                for name, entries in self._client.xread(self._since, block=200):
                    self.seen[name] += [entry_id for entry_id, _ in entries]
                    self._since[name] = entries[-1][0]
            except redis.RedisError:
                time.sleep(0.1)

    def stop(self):
        self._stop.set()
        self._thread.join(15)


class Ledger:
    def __init__(self, office):
        self.office, self.stack = office, office.stack
        self.redis = self.stack.redis_client()
        self.since = {name: self._last(name) for name in STREAMS}
        self.began_at = int(time.time() * 1000)
        self._watcher = Watcher(self.stack.redis_client(), self.since)

    def _last(self, name):
        with contextlib.suppress(redis.ResponseError):
            return self.redis.xinfo_stream(name)["last-generated-id"]
        return "0-0"

    # --- what was written since

    def entries(self, name=AMI):
        """(id, message)"""
        return [(entry_id, json.loads(next(iter(fields.values()))))
                for entry_id, fields in self.redis.xrange(name, "(" + self.since[name])]

    def events(self, call_id=None, name=CALLS):
        return [event for _, event in self.entries(name)
                if call_id is None or event.get("callId") == call_id]

    def kinds(self, call_id):
        return [event["eventType"] for event in self.events(call_id)]

    def call_of(self, agent, timeout=10):
        """The id of the newest call that this extension is in, which began since."""
        def found():
            newest = self.redis.zrevrange(f"calls:of:{agent.extension}", 0, 0)
            return newest and any(self.events(newest[0])) and newest[0]
        return wait_until(found, timeout, f"a call of {agent.extension}")

    def ended(self, call_id, timeout=10):
        """Waits for the end of this call and returns the data of call:ended."""
        def found():
            return [event for event in self.events(call_id) if event["eventType"] == "call:ended"]
        return wait_until(found, timeout, f"the end of {call_id}")[0]["data"]

    def gaps(self):
        """[(from, to)] of what could not be seen, as the gateway marked it for lifecycle."""
        marks = [entry for _, entry in self.entries()
                 if entry["Event"] in ("MaydayUp", "MaydayGap")]
        return [(mark.get("gapFrom", mark.get("from")), mark.get("gapTo", mark.get("to")))
                for mark in marks if "gapFrom" in mark or "from" in mark]

    def public_gaps(self):
        """The same as everybody is told it, on events:ami."""
        return [(event["data"].get("gapFrom", event["data"].get("from")),
                 event["data"].get("gapTo", event["data"].get("to")))
                for event in self.events(name="events:ami")
                if event["eventType"] == "ami:gap" or "gapFrom" in event["data"]]

    # --- the checks

    def settle(self, timeout=15):
        """Until lifecycle has applied every entry."""
        wait_until(lambda: self.redis.hget("lifecycle:main", "appliedId") == self._last(AMI),
                   timeout, "call-lifecycle has applied everything")

    def check(self):
        self.settle()
        self._watcher.stop()
        self.check_nothing_lost()
        self.check_nothing_twice()
        self.check_ends()
        self.check_no_ghosts()

    def check_nothing_lost(self):
        for name, seen in self._watcher.seen.items():
            kept = {entry_id for entry_id, _ in self.redis.xrange(name, "(" + self.since[name])}
            lost = [entry_id for entry_id in seen if entry_id not in kept]
            assert not lost, f"{name}: {len(lost)} of {len(seen)} entries are gone: {lost[:5]}"
        self.check_applied()

    def check_applied(self):
        """Each channel that the entries begin is in a call, and gone from it when they end it."""
        begun, over = {}, set()
        for _, entry in self.entries():
            if entry["Event"] == "Newchannel":
                begun[entry["Uniqueid"]] = entry["Linkedid"]
            elif entry["Event"] == "Hangup":
                over.add(entry["Uniqueid"])
        for uniqueid, call_id in begun.items():
            call = self.redis.hgetall(f"call:{call_id}")
            assert call, f"{uniqueid} of {call_id} was on {AMI}, and there is no such call"
            present = {each["uniqueid"] for each in json.loads(call.get("channels") or "[]")}
            assert not (uniqueid in over and uniqueid in present), f"{uniqueid} is still there"

    def check_nothing_twice(self):
        for name in (CALLS, "events:agent", "events:ami"):
            count = collections.Counter(json.dumps(event, sort_keys=True)
                                        for event in self.events(name=name))
            twice = [text for text, times in count.items() if times > 1]
            assert not twice, f"{name}: {len(twice)} events twice: {twice[:3]}"
        identity = collections.Counter(
            (event["Event"], event.get("Uniqueid"), event.get("Timestamp"))
            for _, event in self.entries() if event["Event"] in ("Newchannel", "Hangup"))
        twice = [each for each, times in identity.items() if times > 1]
        assert not twice, f"{AMI}: {twice[:3]} twice"

    def check_ends(self):
        """A call that ended has exactly one call:ended, as its last event; no other has any."""
        live = self.redis.smembers("calls:live:main")
        kinds = collections.defaultdict(list)
        for event in self.events():
            kinds[event["callId"]].append(event["eventType"])
        for call_id, told in kinds.items():
            state = self.redis.hget(f"call:{call_id}", "state")
            ends = told.count("call:ended")
            if "call:merged" in told:
                continue
            assert ends == (1 if state == "ended" else 0), f"{call_id} is {state}: {told}"
            assert (state == "ended") == (call_id not in live), f"{call_id} is {state} and live"
            assert not ends or told[-1] == "call:ended", f"{call_id}: after its end: {told}"

    def check_no_ghosts(self):
        """The channels of the live calls are those of Asterisk."""
        def differ():
            known = {}
            for call_id in self.redis.smembers("calls:live:main"):
                channels = json.loads(self.redis.hget(f"call:{call_id}", "channels") or "[]")
                known |= {channel["uniqueid"]: call_id for channel in channels}
                known |= {} if channels else {f"none of {call_id}": call_id}
            return known.keys() ^ self.office.channels()
        wait_until(lambda: not differ(), what="calls are those of Asterisk")
