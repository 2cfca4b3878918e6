"""One of our own daemons, from MAYDAY_BIN (default build/bin), as a test runs it."""

import os
import pathlib
import signal

import requests

from lib.process import Process

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get("MAYDAY_BIN") or ROOT / "build/bin")
if not BIN.is_absolute():
    BIN = ROOT / BIN

PORTS = {"ami-gateway": 8101, "call-lifecycle": 8102, "auth-svc": 8103, "ws-fanout": 8104,
         "transfer-svc": 8106, "crm-data-svc": 8107, "pbx-config-svc": 8108,
         "http-probe": 8109}
WS_PORT = 8105
SANITIZER_STATUS = 99
# What the fortified C library and the sanitizers print on stderr when they find something.
FAULTS = ("ERROR: AddressSanitizer", "ERROR: LeakSanitizer", "runtime error:",
          "*** stack smashing", "*** buffer overflow", "double free or corruption",
          "terminated by assertion", "Assertion `")


def sanitizer_environment(report):
    options = f"exitcode={SANITIZER_STATUS}:log_path={report}:handle_abort=1"
    return {"ASAN_OPTIONS": f"{options}:detect_stack_use_after_return=1",
            "UBSAN_OPTIONS": f"{options}:print_stacktrace=1"}


class Daemon(Process):
    """settings: the daemon's environment; HTTP_LISTEN (and WS_LISTEN) are chosen unless given."""

    def __init__(self, name, net, directory, settings=None, options=()):
        self.host = net.address()
        self.listen = (settings or {}).get("HTTP_LISTEN", f"{self.host}:{PORTS[name]}")
        self.ws_listen = (settings or {}).get("WS_LISTEN", f"{self.host}:{WS_PORT}")
        self.report = pathlib.Path(directory) / "sanitizer"
        environment = {"PATH": os.environ["PATH"], "HTTP_LISTEN": self.listen,
                       "LOG_LEVEL": "debug"}
        if name == "ws-fanout":
            environment["WS_LISTEN"] = self.ws_listen
        environment.update(settings or {})
        environment.update(sanitizer_environment(self.report))
        super().__init__(name, [BIN / name, *options], directory, environment)
        self.killed = False

    @property
    def url(self):
        return f"http://{self.listen}"

    @property
    def ws_url(self):
        return f"ws://{self.ws_listen}/ws"

    def get(self, path, **options):
        return requests.get(self.url + path, timeout=options.pop("timeout", 5), **options)

    def ready(self):
        return self.get("/readyz").status_code == 200

    def alive(self):
        return self.get("/healthz").status_code == 200

    def sees_redis(self):
        return self.get("/readyz").json()["dependencies"]["redis"]["ok"]

    def start(self, until="ready"):
        """until: "ready", "sees_redis", "alive" (its dependencies may be away) or None."""
        self.killed = False
        self.spawn()
        if until:
            self.wait_ready(getattr(self, until), 20)
        return self

    def restart(self, until="ready"):
        self.stop()
        return self.start(until)

    def kill9(self):
        self.killed = True
        super().kill9()

    def metric(self, name):
        """Value of one sample; name may carry labels as they are printed. None when absent."""
        for line in self.get("/metrics").text.splitlines():
            if line.replace("{}", "", 1).startswith(name + " "):
                return float(line.rsplit(" ", 1)[1])
        return None

    def check(self):
        """Ends the daemon; fails when it crashed, leaked, or a sanitizer spoke."""
        status = self.stop(20)
        reports = [path.read_text(errors="replace")
                   for path in sorted(self.directory.glob("sanitizer.*"))]
        reports += [line for line in self.log.splitlines() if any(f in line for f in FAULTS)]
        assert not reports, f"{self.name}:\n" + "\n".join(reports)[:8000]
        expected = (0, None, -signal.SIGKILL) if self.killed else (0, None)
        assert status in expected, \
            f"{self.name} left with {status}; its log ends:\n{self.log[-3000:]}"
