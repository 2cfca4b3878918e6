"""The local stack (deploy/local/stack) on addresses and in a folder of its own, as tests use it."""

import os
import pathlib
import shlex
import subprocess

import redis

from lib.daemon import FAULTS
from lib.phone import Phone
from lib.recording import Recording
from lib.servers import refusals

ROOT = pathlib.Path(__file__).resolve().parents[2]
COMMAND = ROOT / "deploy/local/stack"


class Stack:
    """prefix: the first three numbers of its addresses. binaries: build/bin or another."""

    def __init__(self, prefix, directory, binaries=None):
        self.prefix, self.run = prefix, pathlib.Path(directory)
        self.http = f"{prefix}.5:8004"
        self.url, self.ws_url = f"http://{self.http}", f"ws://{self.http}/ws"
        self.environment = {**os.environ, "MAYDAY_RUN": str(self.run), "MAYDAY_NET": prefix,
                            "MAYDAY_HTTP": self.http}
        if binaries:
            self.environment["MAYDAY_BIN"] = str(pathlib.Path(binaries).resolve())

    def call(self, *arguments, timeout=180):
        """The stack's own command; returns what it printed, fails with what it complained of."""
        words = [str(argument) for argument in arguments]
        done = subprocess.run([COMMAND, *words], env=self.environment, text=True,
                              capture_output=True, timeout=timeout, stdin=subprocess.DEVNULL)
        assert done.returncode == 0, f"stack {' '.join(words)}: {done.stdout}{done.stderr}"
        return done.stdout

    def up(self, *parts):
        """All parts, or those named and what they need; returns when each is ready."""
        self.call("up", *parts)
        return self

    def down(self):
        self.call("down")

    def wipe(self):
        self.call("wipe")

    def stop(self, *parts):
        self.call("stop", *parts)

    def restart(self, *parts):
        self.call("restart", *parts)

    def phones(self, *extensions):
        """Registered phones, by extension."""
        self.up(*(f"phone@{extension}" for extension in extensions))
        return {str(extension): Phone(self.prefix, extension) for extension in extensions}

    def cli(self, command):
        return self.call("cli", command)

    def sql(self, statement):
        return self.call("sql", "-N", "-e", statement)

    def secret(self, name):
        return (self.run / "secrets" / name).read_text()

    def settings(self, part):
        """The environment of one of our daemons, as a dict."""
        lines = (self.run / "env" / part).read_text().splitlines()
        return dict(shlex.split(line)[0].split("=", 1) for line in lines if line)

    def configure(self, part, **settings):
        """Restarts one of our daemons with these instead of its usual settings; none: as usual."""
        (self.run / "settings").mkdir(exist_ok=True)
        lines = "".join(f"{name}={shlex.quote(str(value))}\n" for name, value in settings.items())
        (self.run / "settings" / part).write_text(lines)
        self.restart(part)

    def once(self, part):
        """It is not started again when it dies; up() ends that."""
        subprocess.run(["sv", "once", self.run / "service" / part], check=True,
                       stdout=subprocess.DEVNULL)

    def pid(self, part):
        """None when it does not run."""
        path = self.run / "service" / part / "supervise/pid"
        text = path.read_text().strip() if path.exists() else ""
        return int(text) if text else None

    def kill9(self, part):
        """The supervisor starts it again, after a second."""
        os.kill(self.pid(part), 9)

    def log(self, part):
        return (self.run / "log" / part / "current").read_text(errors="replace")

    def redis_client(self):
        return redis.Redis(f"{self.prefix}.2", 6379, password=self.secret("redis").strip(),
                           decode_responses=True)

    def check(self):
        """Fails when a daemon crashed or a sanitizer spoke, or a message on a stream was wrong."""
        faults = [f"{path.parent.name}: {line}" for path in sorted(self.run.glob("log/*/*"))
                  if path.is_file() for line in path.read_text(errors="replace").splitlines()
                  if any(fault in line for fault in FAULTS)]
        assert not faults, "\n".join(faults[:20])
        if (self.run / "service/redis").exists() and self.pid("redis"):
            recording = Recording()
            recording.tap(self.redis_client())
            recording.finish()
            refused = refusals(self.redis_client())
            assert not refused, "\n".join(refused)
