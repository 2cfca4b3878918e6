"""The primary of three Redis is killed under load: Sentinels make another, every daemon goes there, and
what was accepted with WAIT is there."""

import threading
import time

import pytest
import redis as redis_client

from lib import scratch, services
from lib.process import wait_until
from lib.sentinels import Trio
from lib.services import SERVICES

FAILOVER_MAX_S = 10


@pytest.fixture(scope="module")
def trio(net):
    folder = scratch.directory("sentinels")
    trio = Trio(net, folder)
    yield trio
    trio.close()
    scratch.remove(folder)


class Load(threading.Thread):
    """Writes to whatever the primary is; .accepted are those that a replica has too."""

    def __init__(self, trio):
        super().__init__(daemon=True)
        self.trio, self.accepted, self.ended, self.refused = trio, [], False, 0

    def run(self):
        number, client = 0, None
        while not self.ended:
            try:
                client = client or self.trio.client(self.trio.primary())
                entry = client.xadd("events:load", {"n": number})
                if client.wait(1, 500) >= 1:
                    self.accepted.append(entry)
                number += 1
            except (redis_client.RedisError, TypeError, KeyError):
                self.refused += 1
                client = None
                time.sleep(0.02)


def connected(trio, host):
    """Daemons by the names of their connections there."""
    return {client["name"].split(":")[1] for client in trio.client(host).client_list()
            if client["name"].startswith("mayday:")}


def test_all_daemons_are_on_the_new_primary_in_time_and_nothing_accepted_is_lost(trio, daemon, request):
    daemons = {name: daemon(name, until="alive", **{**services.settings(name, request),
                                                    **trio.settings(name)})
               for name in SERVICES}
    old = trio.primary()
    wait_until(lambda: connected(trio, old) == set(SERVICES), 30, "every daemon at the first primary")
    load = Load(trio)
    load.start()
    wait_until(lambda: len(load.accepted) > 200, 30, "load")

    trio.servers[old].kill9()
    began = time.monotonic()
    new = wait_until(lambda: trio.primary() not in (None, old) and trio.primary(), 30, "another primary")
    wait_until(lambda: connected(trio, new) == set(SERVICES), 30, "every daemon at the new primary")
    took = time.monotonic() - began
    before = len(load.accepted)
    wait_until(lambda: len(load.accepted) > before + 50, 30, "load goes on")
    load.ended = True
    load.join(10)

    there = {entry for entry, _ in trio.client(new).xrange("events:load")}
    assert set(load.accepted) <= there
    assert took < FAILOVER_MAX_S, f"{took:.1f} s"
    for name, one in daemons.items():
        readiness = wait_until(lambda: one.get("/readyz").json(), 20, name)
        assert any("redis" in str(key) for key in readiness.get("dependencies", readiness)), readiness


def test_a_primary_without_replicas_takes_no_writes(trio):
    primary = wait_until(trio.primary, 30, "a primary")
    for host, server in trio.servers.items():
        if host != primary and server.running():
            server.kill9()
    client = trio.client(primary)

    def refused():
        try:
            client.set("a", "b")
        except redis_client.ResponseError as error:
            return "NOREPLICAS" in str(error)
        return False

    wait_until(refused, 30, "NOREPLICAS")
