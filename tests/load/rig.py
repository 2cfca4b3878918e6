"""What the benches share: servers and daemons of their own, on a private block of addresses."""

import contextlib
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))

from lib import tokens  # noqa: E402
from lib.daemon import BIN, Daemon  # noqa: E402
from lib.net import Net  # noqa: E402
from lib.servers import Redis  # noqa: E402

LOAD = ROOT / "build/load"
AMI = ROOT / "tests/data/ami"
# Those of one connection each: playing the others takes waiting for the client to come back.
RECORDINGS = [path for path in sorted(AMI.glob("*.ami"))
              if ".2." not in path.name and not path.with_suffix(".2.ami").exists()]
AMI_SECRET = "bench-secret"


class Rig(contextlib.ExitStack):
    """Everything that it starts ends with it."""

    def __enter__(self):
        super().__enter__()
        self.net = Net()
        self.callback(self.net.close)
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="mayday-bench-"))
        self.callback(shutil.rmtree, self.directory, ignore_errors=True)
        self.ami = f"{self.net.address()}:5038"
        self.redis = Redis(self.net, self.directory / "redis").start()
        self.callback(self.redis.stop)
        return self

    def daemon(self, name, until="ready", **settings):
        host, port = self.ami.split(":")
        secret = self.directory / "ami-secret"
        secret.write_text(AMI_SECRET)
        every = {**self.redis.settings, **tokens.SETTINGS, "LOG_LEVEL": "warn",
                 "AMI_HOST": host, "AMI_PORT": port, "AMI_SECRET_FILE": str(secret), **settings}
        one = Daemon(name, self.net, self.directory / f"{name}-{time.monotonic_ns()}", every)
        one.start(until)
        self.callback(one.stop)
        return one

    def replay(self, *options, files=RECORDINGS):
        """An ami-replay that plays to whoever logs in; ends when everything was played."""
        command = [BIN / "ami-replay", "play", "--listen", self.ami, *options, *files]
        process = subprocess.Popen([str(part) for part in command], stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)
        self.callback(process.kill)
        return process

    def session(self, role="agent", extension="1001"):
        return tokens.Session(self.redis.client, role, extension)

    def stream(self, name):
        """(entries ever added, last id); (0, "0-0") before the first."""
        try:
            info = self.redis.client.xinfo_stream(name)
        except Exception:  # no such key yet
            return 0, "0-0"
        return info["entries-added"], info["last-generated-id"]


def run_tool(name, *arguments, seconds=120):
    """A program of build/load: its one line of figures as {name: value}."""
    done = subprocess.run([LOAD / name, *map(str, arguments)], capture_output=True, text=True,
                          timeout=seconds, check=False)
    figures = dict(re.findall(r"(\w+) ([0-9.]+)", done.stdout))
    if done.returncode != 0:
        raise RuntimeError(f"{name}: {done.stdout}{done.stderr}")
    return {key: float(value) for key, value in figures.items()}


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / 100


def resident_mb(pid):
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024


def median(values):
    return statistics.median(values)
