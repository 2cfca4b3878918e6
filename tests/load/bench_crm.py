"""The screen pop among a million clients, the driver's own part of it, and reads through nginx."""

import functools
import json
import os
import sqlite3

from rig import Rig, run_tool  # it makes lib known

from lib.servers import Mongo, Nginx

CLIENTS = int(os.environ.get("BENCH_CRM_CLIENTS", "1000000"))
ASKED = 10_000
BATCH = 5000


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


def _fill_by_driver(mongo):
    for name, make in (("clients", client), ("numbers", entry)):
        for start in range(0, CLIENTS, BATCH):
            mongo.database[name].insert_many(
                [make(index) for index in range(start, min(CLIENTS, start + BATCH))])


def _fill_file(mongo):
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
            for index in range(1, CLIENTS)))
    file.commit()
    file.close()
    mongo.start()


class CrmRig(Rig):
    def __enter__(self):
        super().__enter__()
        self.mongo = Mongo(self.net, self.directory / "mongo").start()
        self.callback(self.mongo.stop)
        (_fill_by_driver if self.mongo.command[0] == "mongod" else _fill_file)(self.mongo)
        self.crm = self.daemon("crm-data-svc", until="alive", **self.mongo.settings)
        self.crm.wait_ready(self.crm.ready, 600)
        self.asked = [index * 7919 % CLIENTS for index in range(ASKED)]
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
            location / {{ proxy_pass http://crm; proxy_http_version 1.1;
                          proxy_set_header Connection ""; }}
        }}
        upstream crm {{ server {rig.crm.listen}; keepalive 64;""").start()
        rig.callback(nginx.stop)
        reads = rig.paths(lambda index: f"/api/crm/clients/{client_id(index)}")
        read = run_tool("http_load", nginx.url.removeprefix("http://"), rig.token, reads, 64, 0, 10)
        assert read["failed"] == 0
        found["reads"] = read["rate"]
    return found


def lookup():
    return figures()["lookup"]


def own_part():
    return max(0, figures()["lookup"] - figures()["bare"])


def reads():
    return figures()["reads"]


BENCHES = [
    (f"number to client among {CLIENTS:,}, p99", lookup, "ms", 10, "at most"),
    ("the daemon's part of it, without the driver's, p99", own_part, "ms", 1, "at most"),
    ("reads of a client, 64 clients through nginx", reads, "requests/s", 2000, "at least"),
]
