"""The screen pop among a million clients, the driver's own part of it, reads through nginx, and what
a long absence of MongoDB leaves behind."""

import functools
import json
import os
import shutil
import sqlite3
import time

import requests
from rig import LOAD, Rig, run_tool  # it makes lib known

from lib.servers import Mongo, Nginx

CLIENTS = int(os.environ.get("BENCH_CRM_CLIENTS", "1000000"))
ASKED = 10_000
BATCH = 5000
CALLS = 1000
OUTAGE_S = int(os.environ.get("BENCH_CRM_OUTAGE_S", "600"))


def number(index):
    return f"+4930{index:08}"


def client_id(index):
    return f"1700000000000-{index:08x}"


def client(index):
    name = f"Client {index}"
    return {"_id": client_id(index), "v": 1, "createdAt": 1700000000000, "createdBy": "bench",
            "updatedAt": 1700000000000 + index, "updatedBy": "bench", "type": "person",
            "name": name, "owner": "bench", "tags": ["bench"],
            "phones": [{"number": number(index), "national": "0" + number(index)[3:]}],
            "k": {"live": True, "words": name.lower().split(), "numbers": [number(index)],
                  "emails": []}}


def entry(index):
    return {"_id": number(index), "of": [client_id(index)]}


def _fill_by_driver(mongo, count):
    for name, make in (("clients", client), ("numbers", entry)):
        for start in range(0, count, BATCH):
            mongo.database[name].insert_many(
                [make(index) for index in range(start, min(count, start + BATCH))])


def _fill_file(mongo, count):
    """FerretDB takes 5,000 documents a second; its file takes fifty times as many. One document
    of each kind is put by the protocol and is the pattern of the others."""
    for name, make in (("clients", client), ("numbers", entry)):
        mongo.database[name].insert_one(make(0))
    mongo.stop()
    file = sqlite3.connect(mongo.directory / "data/mayday.sqlite")
    for name, make in (("clients", client), ("numbers", entry)):
        table, = file.execute("SELECT table_name FROM _ferretdb_collections WHERE name = ?",
                              (name,)).fetchone()
        pattern = file.execute(f'SELECT _ferretdb_sjson FROM "{table}"').fetchone()[0]
        kinds = json.loads(pattern)["$s"]
        file.executemany(f'INSERT INTO "{table}" VALUES (?)', (
            (json.dumps({"$s": kinds, **make(index)}, separators=(",", ":")),)
            for index in range(1, count)))
    file.commit()
    file.close()
    mongo.start()


def fill(mongo, clients):
    (_fill_by_driver if mongo.command[0] == "mongod" else _fill_file)(mongo, clients)


class CrmRig(Rig):
    """With so many clients. Loading and indexing a million takes minutes: they are kept in build/load,
    and only what a run added (the audit) goes before the next one."""

    def __init__(self, clients=CLIENTS):
        super().__init__()
        self.clients = clients

    def __enter__(self):
        super().__enter__()
        folder = LOAD / f"crm-{self.clients}"
        is_new = not (folder / "filled").exists()
        if is_new:
            shutil.rmtree(folder, ignore_errors=True)
        self.mongo = Mongo(self.net, folder).start()
        self.callback(self.mongo.stop)
        if is_new:
            fill(self.mongo, self.clients)
        for name in ("audit", "interactions", "changes"):
            self.mongo.database.drop_collection(name)
        self.crm = self.daemon("crm-data-svc", until="alive", **self.mongo.settings)
        self.crm.wait_ready(self.crm.ready, 900)
        (folder / "filled").touch()
        self.asked = [index * 7919 % self.clients for index in range(ASKED)]
        self.token = self.directory / "token"
        self.token.write_text(self.session("manager", "2000").token)
        return self

    def paths(self, make):
        file = self.directory / "paths"
        file.write_text("\n".join(make(index) for index in self.asked))
        return file


@functools.cache
def figures():
    """All of it with one loading of the million."""
    found = {}
    with CrmRig() as rig:
        pairs = rig.directory / "pairs"
        pairs.write_text("\n".join(f"{number(index)} {client_id(index)}" for index in rig.asked))
        found["bare"] = run_tool("mongo_bare", rig.mongo.uri, "mayday", pairs, 5000)["p99"]
        lookups = rig.paths(lambda index: "/api/crm/lookup?number=030" + number(index)[5:])
        asked = run_tool("http_load", rig.crm.listen, rig.token, lookups, 1, 0, 10)
        assert asked["failed"] == 0
        found["lookup"] = asked["p99"]
        # Behind the server's own block comes one that keeps connections to the daemon.
        nginx = Nginx(rig.net, rig.directory / "nginx", f"""
            listen {{listen}};
            keepalive_requests 1000000;
            location / {{ proxy_pass http://crm; proxy_http_version 1.1;
                          proxy_set_header Connection ""; }}
        }}
        upstream crm {{ server {rig.crm.listen}; keepalive 64;""").start()
        rig.callback(nginx.stop)
        # First each of them once, so that the cache knows none, then as it goes on.
        reads = rig.paths(lambda index: f"/api/crm/clients/{client_id(index)}")
        for name, seconds in (("first", 3), ("warm", 10), ("reads", 10)):
            read = run_tool("http_load", nginx.url.removeprefix("http://"), rig.token, reads, 64, 0,
                            seconds)
            assert read["failed"] == 0
            found[name] = read["rate"]
    return found


def lookup():
    return figures()["lookup"]


def own_part():
    return max(0, figures()["lookup"] - figures()["bare"])


def first_reads():
    return figures()["first"]


def reads():
    return figures()["reads"]


def say(redis, call, kind, at):
    redis.xadd("events:call", {"e": json.dumps({
        "v": 1, "eventType": f"call:{kind}", "callId": f"call{call:04}", "pbx": "main",
        "timestamp": at, "redisKey": f"call:call{call:04}",
        "data": {"state": "ended" if kind == "ended" else "ringing", "direction": "inbound",
                 "caller": number(call)[1:], "callee": "5000", "startedAt": at}})})


def asked_s(rig):
    began = time.monotonic()
    answer = requests.get(rig.crm.url + f"/api/crm/clients/{client_id(0)}",
                          headers={"Authorization": f"Bearer {rig.token.read_text()}"}, timeout=30)
    assert answer.status_code == 503, answer.text
    return time.monotonic() - began


def outage():
    """1,000 calls while MongoDB is away; how many interactions are missing, double, not closed or out
    of order afterwards. BENCH_CRM_OUTAGE_S says how long."""
    with CrmRig(100) as rig:
        rig.mongo.stop()
        assert asked_s(rig) < 3  # the one that finds it away waits MONGODB_TIMEOUT_MS for it
        began = time.monotonic()
        for call in range(CALLS):
            for kind in ("dialing", "ringing", "ended"):
                say(rig.redis.client, call, kind, 1_790_000_000_000 + call)
            if call % 100 == 0:
                assert asked_s(rig) < 1
            time.sleep(max(0, began + OUTAGE_S * (call + 1) / CALLS - time.monotonic()))
        rig.mongo.start()
        found, deadline = [], time.monotonic() + 120
        while len(found) < CALLS and time.monotonic() < deadline:
            time.sleep(0.5)
            found = list(rig.mongo.database.interactions.find({"state": "closed"}))
        opened = list(rig.mongo.database.changes.find({"v": 1, "record": {"$regex": "^call-"}}))
        order = [each["record"] for each in sorted(opened, key=lambda each: each["at"])]
        wrong = sum(left > right for left, right in zip(order, order[1:]))
        return abs(CALLS - len({each["_id"] for each in found})) + abs(len(found) - CALLS) + wrong


BENCHES = [
    (f"number to client among {CLIENTS:,}, p99", lookup, "ms", 10, "at most"),
    ("the daemon's part of it, without the driver's, p99", own_part, "ms", 1, "at most"),
    ("reads of clients that nobody has read lately", first_reads, "requests/s", None, "at least"),
    (f"reads of {ASKED:,} clients, 64 at once through nginx", reads, "requests/s", 2000, "at least"),
    (f"interactions lost while MongoDB is away {OUTAGE_S} s", outage, "of 1,000", 0, "at most"),
]
