"""ws-fanout: memory of idle clients, deliveries, their cost beside Socket.IO on Node, delays, clients
that stall, clients that all come back at once."""

import json
import os
import resource
import socket
import subprocess
import time

from rig import LOAD, Rig, cpu_seconds, resident_mb

from lib import events
from lib.node import FOLDER, modules

MANY = {"WS_CONNECTIONS_MAX": "60000"}


class Clients:
    """ws_clients as a process; .finish() gives its figures."""

    def __init__(self, rig, address, token, count, **options):
        flags = [part for name, value in options.items()
                 for part in ([f"--{name}"] if value is True else [f"--{name}", str(value)])]
        self.process = subprocess.Popen(
            [LOAD / "ws_clients", "--address", address, "--clients", str(count), *flags],
            stdout=subprocess.PIPE, env={**os.environ, "WS_TOKEN": token}, text=True)
        rig.callback(self.process.kill)
        assert self.process.stdout.readline() == "ready\n"

    def finish(self, stop=True):
        if stop:
            self.process.terminate()
        return json.loads(self.process.stdout.read())


def _envelope(number):
    return events.envelope(f"c{number}", "1001", data={"state": "ringing", "n": number,
                                                       "sentUs": int(time.time() * 1_000_000)})


def publish(rig, count, rate=None, first=1):
    """Writes events; at once, or so many a second."""
    began = time.perf_counter()
    batch = 500 if rate is None else 1
    for number in range(first, first + count, batch):
        pipe = rig.redis.client.pipeline(transaction=False)
        for each in range(number, min(number + batch, first + count)):
            pipe.xadd("events:call", {"e": json.dumps(_envelope(each))})
        pipe.execute()
        if rate:
            time.sleep(max(0, began + (number + 1 - first) / rate - time.perf_counter()))


def _fanout(rig):
    one = rig.daemon("ws-fanout", **MANY)
    return one, rig.session("superuser", "").token


def idle(count):
    """Resident MB of the daemons with so many clients that do nothing: as few daemons as there are
    descriptors for."""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1] - 500
    with Rig() as rig:
        daemons, crowds, token = [], [], None
        while count > 0:
            fanout, token = _fanout(rig)
            crowds.append(Clients(rig, fanout.ws_listen, token, min(count, most), spread=8,
                                  seconds=600))
            daemons.append(fanout)
            count -= most
        time.sleep(1)
        used = sum(resident_mb(each.pid) for each in daemons)
        assert all(each.finish()["gone"] == 0 for each in crowds)
        return used


class Node:
    """Socket.IO on Node, as ws-fanout is here."""

    def __init__(self, rig):
        self.ws_listen = f"{rig.net.address()}:3000"
        redis = rig.redis.settings
        url = (f"redis://:{redis.get('REDIS_PASSWORD', '')}@"
               f"{redis['REDIS_HOST']}:{redis['REDIS_PORT']}")
        process = subprocess.Popen(
            ["node", FOLDER / "socketio_server.js", self.ws_listen, url],
            env={**os.environ, "NODE_PATH": str(modules())})
        rig.callback(process.kill)
        self.pid = process.pid
        for _ in range(100):
            try:
                socket.create_connection(self.ws_listen.split(":"), 1).close()
                return
            except OSError:
                time.sleep(0.1)
        raise RuntimeError("Node did not come up")


def _broadcast(kind, clients=1000, count=600, rate=None):
    """(deliveries/s, us of CPU for each delivery): as fast as it goes, or one event at a time."""
    with Rig() as rig:
        server, token = (Node(rig), "x") if kind == "node" else _fanout(rig)
        time.sleep(0.5)
        options = {} if kind == "ws" else {"socketio": True}
        crowd = Clients(rig, server.ws_listen, token, clients, events=count, seconds=60, **options)
        before = cpu_seconds(server.pid)
        publish(rig, count, rate)
        figures = crowd.finish(stop=False)
        assert figures["events"] == clients * count, figures
        used = cpu_seconds(server.pid) - before
        return figures["deliveriesPerS"], 1e6 * used / figures["events"]


def _delay(rate, seconds, clients, **options):
    """p99 from XADD to the clients, in ms."""
    with Rig() as rig:
        fanout, token = _fanout(rig)
        crowd = Clients(rig, fanout.ws_listen, token, clients, seconds=600, **options)
        publish(rig, rate * seconds, rate)
        time.sleep(0.5)
        return crowd.finish()["delayUs"]["p99"] / 1000


def stalled():
    """p99 of 900 clients beside 100 that do not read, over that of 900 alone."""
    alone = _delay(100, 6, 900)
    return _delay(100, 6, 1000, stalled=100) / alone


def storm():
    """Seconds until 10,000 clients are back after a restart; every event reached every one once."""
    with Rig() as rig:
        fanout, token = _fanout(rig)
        crowd = Clients(rig, fanout.ws_listen, token, 10_000, spread=4, seconds=120, reconnect=5000,
                        events=60)
        publish(rig, 20, 20)
        fanout.kill9()
        publish(rig, 20, 100, first=21)
        fanout.start()
        publish(rig, 20, 10, first=41)
        figures = crowd.finish(stop=False)
        assert figures["events"] == 600_000 and figures["returned"] == 10_000, figures
        assert figures["missed"] == 0 and figures["doubled"] == 0, figures
        return figures["backMs"] / 1000


def cost_over_node():
    """Each event by itself: many at once would go out in one write here."""
    return _broadcast("ws", count=200, rate=40)[1] / _broadcast("node", count=200, rate=40)[1]


BENCHES = [
    ("ws-fanout, 10,000 idle clients: resident", lambda: idle(10_000), "MB", 25, "at most"),
    ("ws-fanout, 50,000 idle clients: resident", lambda: idle(50_000), "MB", 120, "at most"),
    ("ws-fanout, one to 1,000", lambda: _broadcast("ws")[0], "deliveries/s", 200_000, "at least"),
    ("ws-fanout, one to 1,000 by Socket.IO", lambda: _broadcast("sio")[0], "deliveries/s", 118_000,
     "at least"),
    ("ws-fanout's CPU for a delivery, over Node's", cost_over_node, "", 0.5, "at most"),
    ("XADD to 100 clients at 1,000 events/s, p99", lambda: _delay(1000, 6, 100), "ms", 5, "at most"),
    ("p99 of 900 clients, 100 stalled beside them", stalled, "times", 1.1, "at most"),
    ("ws-fanout killed: 10,000 clients are back", storm, "s", 10, "at most"),
]
