"""deploy/plain/backup and restore: what was in one stack is in an empty one afterwards, all of it."""

import hashlib
import os
import pathlib
import subprocess

import pymongo
import pytest

from lib import scratch
from lib.daemon import BIN, ROOT
from lib.net import Net
from lib.process import wait_until
from lib.stack import Stack

STORES = ("redis", "mariadb", "mongo")


class Stores(Stack):
    """A stack without daemons, and how the scripts are told where its stores are."""

    def settings_of(self):
        uri = f"mongodb://{self.prefix}.4:27017/mayday"
        return {**os.environ, "DB_HOST": f"{self.prefix}.3",
                "DB_PASSWORD_FILE": self.run / "secrets/db-mayday",
                "REDIS_HOST": f"{self.prefix}.2", "REDIS_PASSWORD_FILE": self.run / "secrets/redis",
                "MONGODB_URI": uri, "AUTH_KEYS_DIR": self.run / "keys"}

    def script(self, name, *arguments):
        return subprocess.run([ROOT / "deploy/plain" / name, *arguments], env=self.settings_of(), text=True,
                              capture_output=True, timeout=120, stdin=subprocess.DEVNULL)

    @property
    def documents(self):
        return pymongo.MongoClient(self.settings_of()["MONGODB_URI"])["mayday"]


@pytest.fixture(scope="module")
def stores():
    made = []
    for name in ("from", "to"):
        net = Net()
        stack = Stores(net.prefix, scratch.directory(f"backup-{name}"), BIN)
        made.append((stack, net))
        stack.up(*STORES)
        stack.call("redis", "config", "set", "repl-diskless-sync-delay", "0")
    yield [stack for stack, _ in made]
    for stack, net in made:
        stack.wipe()
        scratch.remove(stack.run)
        net.close()


def fill(stack):
    stack.sql("INSERT INTO user_presence (extension, presence) VALUES ('1099', 'Zoë \\\"☎\\\" \\\\\\\\')")
    client = stack.redis_client()
    client.hset("call:x", mapping={"state": "ended", "from": "1001"})
    client.set("session:short", "1", ex=5000)
    client.zadd("calls:recent", {"x": 1.5})
    for number in range(100):
        client.xadd("events:call", {"e": f"{{\"n\":{number}}}"}, id=f"{number + 1}-0")
    client.xgroup_create("events:call", "transfer-svc", id="50-0")
    client.xreadgroup("transfer-svc", "one", {"events:call": ">"}, count=10)
    clients = stack.documents["clients"]
    clients.insert_many([{"_id": f"c{n}", "name": f"Ünal {n}", "at": n * 2**33} for n in range(700)])
    clients.create_index([("name", 1)], unique=True, name="by_name")
    (stack.run / "keys").mkdir()
    (stack.run / "keys/1.pem").write_text("a key")


def contents(stack):
    """Everything, in a form that can be compared."""
    client = stack.redis_client()
    values = {key: hashlib.sha256(client.execute_command("DUMP", key, **{"NEVER_DECODE": True})).hexdigest()
              for key in client.keys("*") if client.type(key) != "stream"}
    streams = {key: (client.xrange(key), client.xinfo_groups(key), client.xpending_range(
        key, "transfer-svc", "-", "+", 100)) for key in client.keys("*") if client.type(key) == "stream"}
    for _, _, pending in streams.values():
        for entry in pending:
            del entry["time_since_delivered"]
    tables = stack.sql("SELECT table_name FROM information_schema.tables "
                       "WHERE table_schema = 'mayday' ORDER BY 1").split()
    rows = {table: stack.sql(f"SELECT * FROM `{table}` ORDER BY 1, 2") for table in tables}
    documents = {name: sorted(map(str, stack.documents[name].find()))
                 for name in stack.documents.list_collection_names()}
    indexes = {name: sorted(stack.documents[name].index_information())
               for name in stack.documents.list_collection_names()}
    keys = {path.name: path.read_text() for path in (stack.run / "keys").iterdir()}
    return {"values": values, "streams": streams, "rows": rows, "documents": documents, "indexes": indexes,
            "keys": keys}


def empty(stack):
    stack.call("sql", "-e", "DROP DATABASE mayday; CREATE DATABASE mayday CHARACTER SET utf8mb4")
    stack.stop("redis")
    scratch.remove(stack.run / "redis/appendonlydir")


def test_what_was_there_is_there_again(stores, tmp_path):
    source, target = stores
    fill(source)
    before = contents(source)
    done = source.script("backup", tmp_path)
    assert done.returncode == 0, done.stderr
    made = pathlib.Path(done.stdout.strip())
    for path in (made, *made.rglob("*")):
        assert path.stat().st_mode & 0o077 == 0, f"{path} can be read by others"
    empty(target)
    done = target.script("restore", made, target.run / "redis")
    assert done.returncode == 0, done.stderr
    target.up("redis")
    after = contents(target)
    for part, value in before.items():
        assert after[part] == value, part
    assert 0 < target.redis_client().ttl("session:short") <= 5000


def test_a_stack_that_is_not_empty_is_left_alone(stores, tmp_path):
    source, target = stores
    made = source.script("backup", tmp_path).stdout.strip()
    done = target.script("restore", made, target.run / "redis")
    assert done.returncode == 1 and "not empty" in done.stderr


def test_a_backup_that_was_changed_is_refused(stores, tmp_path):
    source, target = stores
    made = pathlib.Path(source.script("backup", tmp_path).stdout.strip())
    (made / "redis.rdb").write_bytes(b"REDIS0010")
    done = target.script("restore", made, target.run / "redis")
    assert done.returncode == 1 and "not as it was made" in done.stderr


def test_a_backup_is_complete_or_is_not_there_and_the_oldest_go(stores, tmp_path):
    source, _ = stores
    for day in range(3):
        (tmp_path / f"2020010{day + 1}T000000Z").mkdir()
    assert source.script("backup", tmp_path, "2").returncode == 0
    names = sorted(path.name for path in tmp_path.iterdir())
    assert len(names) == 2 and names[0] == "20200103T000000Z"
    source.stop("redis")
    done = source.script("backup", tmp_path)
    assert done.returncode == 1 and "Redis" in done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == names
    source.up("redis")
    wait_until(source.redis_client().ping)
