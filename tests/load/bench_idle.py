"""What a daemon costs when nothing happens."""

import functools
import time

from rig import RECORDINGS, Rig, cpu_seconds, resident_mb

DAEMONS = ("ami-gateway", "call-lifecycle", "auth-svc", "ws-fanout")
SECONDS = 5
NO_DATABASE = {"DB_HOST": "127.0.0.1", "DB_PORT": "1", "DB_USER": "mayday", "DB_PASSWORD": "-"}


@functools.cache
def _measured(_round):
    with Rig() as rig:
        rig.replay("--stay", "--fast", files=RECORDINGS[:1])
        running = [rig.daemon(name, until="alive", **NO_DATABASE) for name in DAEMONS]
        time.sleep(3)
        before = [cpu_seconds(one.pid) for one in running]
        time.sleep(SECONDS)
        return {one.name: (resident_mb(one.pid), 100 * (cpu_seconds(one.pid) - used) / SECONDS)
                for one, used in zip(running, before)}


def _bench(name, figure):
    rounds = iter(range(1_000_000))
    return lambda: _measured(next(rounds))[name][figure]


BENCHES = [(f"{name} idle: resident", _bench(name, 0), "MB", 12, "at most") for name in DAEMONS]
BENCHES += [(f"{name} idle: CPU", _bench(name, 1), "% of a core", 0.5, "at most")
            for name in DAEMONS]
