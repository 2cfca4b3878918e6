"""From the write to the AMI socket to a WebSocket client, and the answer to POST originate."""

import http.client
import json
import time

from rig import RECORDINGS, Rig, run_tool


def _event(rate, seconds):
    with Rig() as rig:
        token = rig.directory / "token"
        token.write_text(rig.session("superuser", "").token)
        fanout = rig.daemon("ws-fanout")
        rig.daemon("call-lifecycle", until="alive")
        rig.daemon("ami-gateway", until="alive")
        figures = run_tool("ami_to_ws", rig.ami, fanout.ws_listen, token, rate, seconds)
        return figures["p99"]


def event_1000():
    return _event(1000, 8)


def event_100():
    return _event(100, 8)


def machine(rate):
    """The same number of hops between processes that do nothing: what this machine takes alone."""
    return run_tool("bare_chain", 6, rate, 8)["p99"]


def originate():
    """200 requests/s for 8 s, one connection kept alive; p99 in ms."""
    with Rig() as rig:
        rig.replay("--stay", "--fast", files=RECORDINGS[:1])
        session = rig.session("agent", "1001")
        lifecycle = rig.daemon("call-lifecycle", until="alive")
        gateway = rig.daemon("ami-gateway")
        lifecycle.wait_ready(lifecycle.ready)
        assert gateway.ready()
        host, port = lifecycle.listen.rsplit(":", 1)
        connection = http.client.HTTPConnection(host, int(port))
        taken, start = [], time.perf_counter()
        for number in range(1600):
            delay = start + number / 200 - time.perf_counter()
            if delay > 0:
                time.sleep(delay)
            began = time.perf_counter()
            connection.request("POST", "/api/ami/calls/originate",
                               json.dumps({"to": f"{2000 + number % 1000}"}),
                               {**session.headers, "Content-Type": "application/json"})
            answer = connection.getresponse()
            body = answer.read()
            assert answer.status == 202, (answer.status, body)
            taken.append((time.perf_counter() - began) * 1000)
        return sorted(taken)[int(len(taken) * 0.99)]


BENCHES = [
    ("the machine alone, 6 hops at 1,000/s, p99", lambda: machine(1000), "ms", None, ""),
    ("the machine alone, 6 hops at 100/s, p99", lambda: machine(100), "ms", None, ""),
    ("AMI socket to WebSocket at 1,000 events/s, p99", event_1000, "ms", 5, "at most"),
    ("AMI socket to WebSocket at 100 events/s, p99", event_100, "ms", 2, "at most"),
    ("POST originate at 200 requests/s, p99", originate, "ms", 3, "at most"),
]
