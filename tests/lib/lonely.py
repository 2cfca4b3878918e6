"""Whether anybody is left alone: Asterisk itself is asked again and again who is in which bridge, and
who hears music, over a connection of its own."""

import contextlib
import socket
import threading
import time

LIMIT_S = 8
EVERY_S = 0.3
# With somebody, on the way to somebody, or in a place where one is alone by wish.
WITH_SOMEBODY = ("Dial", "AppDial", "Queue", "AppQueue", "ConfBridge")
PLACES = ("services", "parkedcalls")


class Manager:
    """Lists of Asterisk over AMI."""

    def __init__(self, stack):
        self._socket = socket.create_connection((f"{stack.prefix}.1", 5038), 10)
        self._file = self._socket.makefile("rw", encoding="utf-8", errors="replace", newline="")
        self._file.readline()
        self._send(Action="Login", Username="gateway", Secret=stack.secret("ami-gateway").strip(),
                   Events="off")
        assert self._block()["Response"] == "Success"

    def close(self):
        self._socket.close()

    def _send(self, **headers):
        self._file.write("".join(f"{key}: {value}\r\n" for key, value in headers.items()) + "\r\n")
        self._file.flush()

    def _block(self):
        block = {}
        while line := self._file.readline().strip():
            key, _, value = line.partition(": ")
            block[key] = value
        return block

    def channels(self):
        self._send(Action="CoreShowChannels")
        found = []
        while (block := self._block()).get("Event") != "CoreShowChannelsComplete":
            assert block, "Asterisk is gone"
            if block.get("Event") == "CoreShowChannel":
                found.append(block)
        return found


def alone(channels):
    """{uniqueid: (linkedid, words)} of phones that are up, and with nobody."""
    found = {}
    for channel in channels:
        beside = [each for each in channels
                  if channel["BridgeId"] and each["BridgeId"] == channel["BridgeId"]]
        if (channel["ChannelStateDesc"] == "Up" and channel["Channel"].startswith("PJSIP/")
                and len(beside) < 2 and channel["Application"] not in WITH_SOMEBODY
                and channel["Context"] not in PLACES):
            found[channel["Uniqueid"]] = channel["Linkedid"], \
                f"{channel['Channel']} in {channel['Context']}: {channel['Application']}"
    return found


class Lonely:
    """From its making to check()."""

    def __init__(self, stack, redis):
        self._stack, self._redis = stack, redis
        self._since, self.faults, self.samples = {}, [], 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        manager = None
        while not self._stop.wait(EVERY_S):
            try:
                manager = manager or Manager(self._stack)
                self._look(alone(manager.channels()))
            except (OSError, AssertionError, KeyError, ValueError):
                with contextlib.suppress(OSError):
                    manager.close()
                manager, self._since = None, {}
        if manager:
            manager.close()

    def _look(self, found):
        now = time.monotonic()
        self.samples += 1
        self._since = {uniqueid: self._since.get(uniqueid, now) for uniqueid in found}
        for uniqueid, (linkedid, words) in found.items():
            if now - self._since[uniqueid] > LIMIT_S and not self._may_wait(linkedid):
                self.faults.append(f"{words} for {now - self._since[uniqueid]:.0f} s")

    def _may_wait(self, linkedid):
        """While the agent asks: that has a deadline of its own."""
        try:
            under_way = self._redis.get(f"transfer:call:{linkedid}")
            held = self._redis.hget(f"call:{linkedid}", "state") in ("held", "parked")
            return held or (under_way is not None and self._redis.hget(
                f"transfer:{under_way}", "state") in ("consulting", "ringing", "answered", "queued"))
        except Exception:  # Redis is away: it cannot be asked
            return True

    def check(self):
        self._stop.set()
        self._thread.join(20)
        assert self.samples > 3, "Asterisk was never asked"
        assert not self.faults, self.faults[:5]
