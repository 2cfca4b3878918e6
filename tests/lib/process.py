"""One child process: its log in a file, its end by pid, never outliving the tests."""

import ctypes
import os
import pathlib
import signal
import subprocess
import time

LIBC = ctypes.CDLL(None)
PR_SET_PDEATHSIG = 1


def wait_until(question, timeout=15, what="condition"):
    """Asks until the answer is true and returns it; exceptions count as no. Fails loudly."""
    deadline, last = time.monotonic() + timeout, None
    while time.monotonic() < deadline:
        try:
            answer = question()
            if answer:
                return answer
            last = answer
        except Exception as error:  # whatever a server says before it is up
            last = error
        time.sleep(0.02)
    raise AssertionError(f"{what}: not within {timeout} s (last: {last!r})")


def _die_with_parent():
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Process:
    def __init__(self, name, command, directory, env=None):
        self.name, self.command, self.env = name, [str(part) for part in command], env
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.log_path = self.directory / "log"
        self.process = None

    @property
    def pid(self):
        return self.process.pid

    @property
    def log(self):
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def running(self):
        return self.process is not None and self.process.poll() is None

    def spawn(self):
        assert not self.running(), f"{self.name} is running"
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                self.command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                cwd=self.directory, env=self.env, preexec_fn=_die_with_parent)

    def wait_ready(self, question, timeout=15):
        def asked():
            if not self.running():
                raise EOFError
            return question()
        deadline = time.monotonic() + timeout
        while True:
            try:
                return wait_until(asked, min(1, timeout), f"{self.name} ready")
            except AssertionError as error:
                if not self.running() or time.monotonic() > deadline:
                    raise AssertionError(f"{error}; its log ends:\n{self.log[-3000:]}") from None

    def signal(self, number):
        os.kill(self.pid, number)

    def sigstop(self):
        self.signal(signal.SIGSTOP)

    def sigcont(self):
        self.signal(signal.SIGCONT)

    def kill9(self):
        self.signal(signal.SIGKILL)
        self.process.wait(10)

    def stop(self, timeout=10):
        """SIGTERM; returns the exit status. One that does not leave in time is killed and fails."""
        if not self.running():
            return self.process.returncode if self.process else None
        self.signal(signal.SIGCONT)
        self.signal(signal.SIGTERM)
        try:
            return self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill9()
            raise AssertionError(f"{self.name} did not leave within {timeout} s of SIGTERM; "
                                 f"its log ends:\n{self.log[-3000:]}") from None
