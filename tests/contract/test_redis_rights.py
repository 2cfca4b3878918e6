"""Redis' users (deploy/redis/make-users) against the list of keys (proto/redis.md): each daemon may
write what it owns and read what it reads, and nothing else. Asked of a real Redis, by ACL DRYRUN."""

import fnmatch
import itertools
import re

import pytest

from lib.daemon import ROOT
from lib.services import SERVICES

WRITES = {"hash": "HSET {} f v", "set": "SADD {} m", "sorted set": "ZADD {} 1 m", "string": "SET {} v",
          "stream": "XADD {} * f v"}
READS = {"hash": ["HGETALL {}"], "set": ["SMEMBERS {}"], "sorted set": ["ZRANGE {} 0 -1"],
         "string": ["GET {}", "GETDEL {}"], "stream": ["XRANGE {} - +"]}
MEASURED = ("events:", "actions:", "audit", "wishes:")  # streams whose length auth-svc tells
EVERYONE = re.compile(r"\b(any|every|everyone|whoever|holder)\b")
NOBODYS = ("FLUSHALL", "FLUSHDB", "KEYS *", "CONFIG SET dir /tmp", "CONFIG GET *", "SHUTDOWN",
           "DEBUG SLEEP 1", "ACL LIST", "MONITOR", "REPLICAOF NO ONE", "CLIENT KILL ID 1", "CLIENT LIST",
           "SCRIPT FLUSH", "SAVE", "BGREWRITEAOF", "MODULE LOAD x", "FUNCTION FLUSH", "SWAPDB 0 1",
           "SCAN 0", "RANDOMKEY")
TEXT = (ROOT / "proto/redis.md").read_text()


def rows(heading):
    """The cells of the table below it."""
    section = re.search(rf"^## {heading}\n(.*?)(?=^## |\Z)", TEXT, re.M | re.S)[1]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[2:]]


def named(cell):
    """The daemons in a cell, but for what is said in brackets; and whether everybody is meant."""
    cell = re.sub(r"\([^()]*(\([^()]*\)[^()]*)*\)", "", cell)
    found = {name for name in SERVICES if re.search(rf"(?<![\w:-]){name}\b", cell)}
    return found, bool(EVERYONE.search(cell))


def examples(cell):
    return [re.sub(r"<\w+>", "x", key) for key in re.findall(r"`([^`]+)`", cell)]


def keys():
    """(key, type, owners, readers, everyone writes, everyone reads)"""
    for cells in rows("State"):
        kind = re.match(r"sorted set|\w+", cells[1])[0]
        for key in examples(cells[0]):
            if not key.startswith(("lease:", "fence:")):
                yield (key, kind, *named(cells[2]), *named(cells[3]))
    for cells in rows("Leases"):
        for prefix, key in itertools.product(("lease", "fence"), examples(cells[0])):
            yield (f"{prefix}:{key}", "string", *named(cells[1]), set(), False)
    for cells in rows("Streams"):
        for key in examples(cells[0]):
            readers, all_read = named(cells[4])
            measured = {"auth-svc"} if key.startswith(MEASURED) else set()
            yield (key, "stream", *named(cells[3]), readers | measured, all_read)


KEYS = list(keys())


def covering(key):
    """It and what else Redis cannot tell from it: agents:<pbx> stands for agents:lost too."""
    return [other for other in KEYS if other[0] == key or
            other[0].endswith("x") and fnmatch.fnmatch(key, other[0][:-1] + "*")]


@pytest.fixture
def may(redis_server):
    if not redis_server.running():
        redis_server.start()

    def may(user, command):
        return redis_server.client.execute_command("ACL", "DRYRUN", user, *command.split()) in ("OK", b"OK")
    return may


def test_the_list_was_understood():
    assert len(KEYS) > 60 and all(kind in WRITES for _, kind, *_ in KEYS)
    found = {key: owners for key, _, owners, *_ in KEYS}
    assert found["call:x"] == {"call-lifecycle"} and found["agent:x"] == {"call-lifecycle", "auth-svc"}


@pytest.mark.parametrize("key, kind, owners, all_own, readers, all_read",
                         [pytest.param(key, *rest, id=key) for key, *rest in KEYS])
def test_a_key_is_its_owners_and_its_readers(may, key, kind, owners, all_own, readers, all_read):
    assert owners or all_own, f"proto/redis.md names no daemon as the owner of {key}"
    rights = "give the right in deploy/redis/make-users"
    writers = {name for name in SERVICES if may(name, WRITES[kind].format(key))}
    lacking = (set(SERVICES) if all_own else owners) - writers
    assert not lacking, f"{lacking} must write {key}: {rights}"
    knowing = {name for name in SERVICES if any(may(name, read.format(key)) for read in READS[kind])}
    assert not readers - knowing, f"{readers - knowing} must read {key}: {rights}"

    intruders, strangers = writers - owners, knowing - owners - readers
    for _, _, others, all_own_other, knowers, all_read_other in covering(key):
        intruders -= set(SERVICES) if all_own_other else others
        strangers -= set(SERVICES) if all_own_other or all_read_other else others | knowers
    assert not intruders, f"{intruders} may write {key} and must not"
    assert not strangers, f"{strangers} may read {key}, which proto/redis.md does not say"


@pytest.mark.parametrize("cells", rows("Channels"), ids=lambda cells: cells[0].strip("`"))
def test_a_channel_is_its_streams_owners(may, cells):
    (channel,), streams = examples(cells[0]), examples(cells[1])
    owners = set().union(*(own for key, _, own, *_ in KEYS if key in streams)) or named(cells[1])[0]
    publishers = {name for name in SERVICES if may(name, f"PUBLISH {channel} x")}
    assert publishers == owners, f"{channel}: {publishers} publish, proto/redis.md says {owners}"


@pytest.mark.parametrize("name", SERVICES)
def test_nobody_may_do_what_only_people_do(may, name):
    allowed = [command for command in NOBODYS if may(name, command)]
    assert not allowed, f"{name} may {allowed}"
    assert not may(name, "SET somebody:elses v") and not may(name, "GET somebody:elses")
