"""ws-fanout: memory of idle clients, deliveries, their cost beside Socket.IO on Node, delays, clients
that stall, clients that all come back at once."""

import json
import os
import resource
import signal
import socket
import subprocess
import time

from rig import LOAD, Rig, cpu_seconds, resident_mb

from lib import events
from lib.node import FOLDER, modules

MANY = {"WS_CONNECTIONS_MAX": "60000"}


class Clients:
    """ws_clients as a process; .figures() gives those since they were asked for last, .finish() the
    last ones."""

    def __init__(self, rig, address, token, count, **options):
        flags = [part for name, value in options.items()
                 for part in ([f"--{name}"] if value is True else [f"--{name}", str(value)])]
        self.process = subprocess.Popen(
            [LOAD / "ws_clients", "--address", address, "--clients", str(count), *flags],
            stdout=subprocess.PIPE, env={**os.environ, "WS_TOKEN": token}, text=True)
        rig.callback(self.process.kill)
        assert self.process.stdout.readline() == "ready\n"

    def figures(self):
        self.process.send_signal(signal.SIGUSR1)
        return json.loads(self.process.stdout.readline())

    def finish(self, stop=True):
        if stop:
            self.process.terminate()
        return json.loads(self.process.stdout.read())


def _envelope(number, timed):
    data = {"state": "ringing", "n": number}
    if timed:
        data["sentUs"] = int(time.time() * 1_000_000)
    return events.envelope(f"c{number}", "1001", data=data)


def publish(rig, count, rate=None, first=1, timed=True):
    """Writes events; at once, or so many a second."""
    began = time.perf_counter()
    batch = 500 if rate is None else 1
    for number in range(first, first + count, batch):
        pipe = rig.redis.client.pipeline(transaction=False)
        for each in range(number, min(number + batch, first + count)):
            pipe.xadd("events:call", {"e": json.dumps(_envelope(each, timed))})
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
    """Figures of the clients, and us of CPU of the server for each delivery: as fast as it goes, or
    so many events a second."""
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
        return figures, 1e6 * used / figures["events"]


def offered(rate, seconds=5):
    """Deliveries/s when so many events a second are written."""
    return _broadcast("ws", count=rate * seconds, rate=rate)[0]["deliveriesPerS"]


def one_event(kind):
    """Deliveries/s of one event at a time, from its XADD until the last client has it."""
    figures = _broadcast(kind, count=200, rate=40)[0]
    return figures["clients"] * 1e6 / figures["wholeUs"]["p50"]


def _delay(rate, seconds, clients):
    """p99 from XADD to the clients, in ms."""
    with Rig() as rig:
        fanout, token = _fanout(rig)
        crowd = Clients(rig, fanout.ws_listen, token, clients, seconds=600)
        publish(rig, rate * seconds, rate)
        time.sleep(0.5)
        return crowd.finish()["delayUs"]["p99"] / 1000


def stalled(rate=100, seconds=10):
    """p99 of 900 clients beside 100 that do not read and whose sockets are full, over that of the
    same 900 before those came."""
    with Rig() as rig:
        fanout, token = _fanout(rig)
        readers = Clients(rig, fanout.ws_listen, token, 900, seconds=600)
        publish(rig, rate * seconds, rate)
        alone = readers.figures()["delayUs"]["p99"]
        Clients(rig, fanout.ws_listen, token, 100, stalled=100, seconds=600)
        count = rate * seconds + 1
        while fanout.metric("mayday_ws_queued_bytes") == 0:
            publish(rig, 100, first=count, timed=False)
            count += 100
            time.sleep(1)
        readers.figures()
        publish(rig, rate * seconds, rate, first=count)
        beside = readers.figures()["delayUs"]["p99"]
        assert fanout.metric("mayday_ws_queued_bytes") > 0
        assert fanout.metric("mayday_ws_resyncs_total") == 0
        return beside / alone


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
    """Each event by itself: many at once would go out in one write here. Both serve clients of
    Socket.IO."""
    return _broadcast("sio", count=200, rate=40)[1] / _broadcast("node", count=200, rate=40)[1]


BENCHES = [
    ("ws-fanout, 10,000 idle clients: resident", lambda: idle(10_000), "MB", 25, "at most"),
    ("ws-fanout, 50,000 idle clients: resident", lambda: idle(50_000), "MB", 120, "at most"),
    ("ws-fanout, 250 events/s to 1,000", lambda: offered(250), "deliveries/s", 200_000,
     "at least"),
    ("ws-fanout, many events to 1,000", lambda: _broadcast("ws")[0]["deliveriesPerS"],
     "deliveries/s", 200_000, "at least"),
    ("ws-fanout, many events to 1,000 by Socket.IO",
     lambda: _broadcast("sio")[0]["deliveriesPerS"], "deliveries/s", 118_000, "at least"),
    ("Socket.IO on Node, many events to 1,000",
     lambda: _broadcast("node")[0]["deliveriesPerS"], "deliveries/s", None, ""),
    ("ws-fanout, one event at a time to 1,000", lambda: one_event("ws"), "deliveries/s", None, ""),
    ("Socket.IO on Node, one event at a time", lambda: one_event("node"), "deliveries/s", None, ""),
    ("ws-fanout's CPU for a delivery, over Node's", cost_over_node, "", 0.5, "at most"),
    ("XADD to 100 clients at 1,000 events/s, p99", lambda: _delay(1000, 6, 100), "ms", 5, "at most"),
    ("p99 of 900 clients, 100 stalled beside them", stalled, "times", 1.1, "at most"),
    ("ws-fanout killed: 10,000 clients are back", storm, "s", 10, "at most"),
]
