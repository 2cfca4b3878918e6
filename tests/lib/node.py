"""The unmodified socket.io-client of npm, driven line by line: tests/node/drive.js."""

import hashlib
import json
import os
import pathlib
import queue
import subprocess
import threading

from lib.daemon import ROOT

FOLDER = ROOT / "tests/node"


def modules():
    """Where deploy/local/setup put the packages of the lock file."""
    cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache")
    lock = (FOLDER / "package-lock.json").read_bytes()
    found = cache / "mayday/node" / hashlib.sha256(lock).hexdigest()[:16] / "node_modules"
    assert found.is_dir(), f"{found} is not there: run deploy/local/setup test"
    return found


class SocketIo:
    """Clients by name. wait(name, what) is the next thing of that kind that happened to it."""

    def __init__(self, url):
        self.url, self.seen = url, []
        self._arrived = queue.Queue()
        self.process = subprocess.Popen(
            ["node", FOLDER / "drive.js"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            env={**os.environ, "NODE_PATH": str(modules())}, text=True)
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.process.stdout:
            self._arrived.put(json.loads(line))

    def _do(self, command, name, **fields):
        self.process.stdin.write(json.dumps({"do": command, "name": name, **fields}) + "\n")
        self.process.stdin.flush()

    def connect(self, name, token=None, namespace="/", auth=None, **options):
        auth = {**({"token": token} if token else {}), **(auth or {})}
        self._do("connect", name, url=self.url + namespace,
                 options={"auth": auth, "forceNew": True, **options})

    def emit(self, name, event, *args, ack=None):
        self._do("emit", name, event=event, args=args, ack=ack)

    def cut(self, name):
        self._do("cut", name)

    def disconnect(self, name):
        self._do("disconnect", name)

    def wait(self, name, what, timeout=15, **fields):
        """Leaves what happened to others, or was of other kinds, for later."""
        def fits(each):
            return each["name"] == name and each["what"] == what and all(
                each.get(key) == value for key, value in fields.items())
        while True:
            for index, each in enumerate(self.seen):
                if fits(each):
                    return self.seen.pop(index)
            try:
                self.seen.append(self._arrived.get(timeout=timeout))
            except queue.Empty:
                raise AssertionError(f"no {what} of {name} {fields}; so far {self.seen}") from None

    def close(self):
        self.process.stdin.close()
        self.process.wait(10)
