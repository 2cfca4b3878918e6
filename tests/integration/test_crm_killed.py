"""crm-data-svc killed between any two writes of a merge or an undo; and its cache of clients."""

import threading

import pytest
import requests

from lib.client import assert_error
from lib.process import wait_until
from lib.write_gate import WriteGate
from test_crm_records import make, patch


@pytest.fixture
def gate(mongo, net):
    wire = WriteGate(net.address(), mongo.port, (mongo.host, mongo.port))
    yield wire
    wire.release()
    wire.close()


@pytest.fixture
def crm(daemon, mongo, gate):
    def start():
        return daemon("crm-data-svc", CRM_LEASE_TTL_MS=500, MONGODB_DATABASE="mayday",
                      MONGODB_URI=f"mongodb://{gate.host}:{gate.port}/")
    return start


class Pair:
    """Two clients, the second with a note and a contact, and what they must be like."""

    def __init__(self, client, number):
        self.numbers = [f"+4930{number:04}111", f"+4930{number:04}222", f"+4930{number:04}333"]
        self.into = make(client, "clients", name="Anna", phones=[self.numbers[0]], tags=["a"])
        self.other = make(client, "clients", name="Twin", phones=[self.numbers[1]], tags=["b"])
        self.note = make(client, "notes", clientId=self.other["id"], text="of the twin")
        make(client, "contacts", clientId=self.other["id"], name="Bert", phones=[self.numbers[2]])

    def merge(self):
        return f"/api/crm/clients/{self.into['id']}/merge", {"from": self.other["id"]}

    def owners(self, client):
        found = [client.get("/api/crm/lookup", params={"number": each}).json()["clients"]
                 for each in self.numbers]
        assert all(len(each) == 1 for each in found), found
        note = client.get(f"/api/crm/notes/{self.note['id']}").json()["clientId"]
        return [each[0]["id"] for each in found] + [note]

    def check_one(self, client):
        assert self.owners(client) == 4 * [self.into["id"]]
        assert client.get(f"/api/crm/clients/{self.into['id']}").json()["tags"] == ["a", "b"]
        assert_error(client.get(f"/api/crm/clients/{self.other['id']}"), 410, "merged")

    def check_two(self, client):
        assert self.owners(client) == [self.into["id"]] + 3 * [self.other["id"]]
        for each, tag in ((self.into, "a"), (self.other, "b")):
            assert client.get(f"/api/crm/clients/{each['id']}").json()["tags"] == [tag]


def start_and_kill(service, gate, step, client, path, body):
    """False: it was through before the step."""
    gate.hold(step)
    answers = []

    def ask():
        try:
            answers.append(client.post(path, body, headers={"If-Match": "*"}))
        except requests.RequestException:
            pass
    asking = threading.Thread(target=ask)
    asking.start()
    wait_until(lambda: gate.held.is_set() or answers, 20)
    killed = gate.held.is_set()
    if killed:
        service.kill9()
    asking.join()
    gate.release()
    return killed


def test_a_merge_ends_whenever_it_is_killed(crm, gate, session, rest, mongo):
    service, step, killed = crm(), 0, True

    def state(pair):
        found = mongo.database.merges.find_one({"into": pair.into["id"]})
        return found["state"] if found else None
    while killed:
        step += 1
        client = rest(service, session("manager", "2000"))
        pair = Pair(client, step)
        killed = start_and_kill(service, gate, step, client, *pair.merge())
        if killed:
            service = crm()
        if step == 1:  # nothing was written
            pair.check_two(rest(service, session("manager", "2000")))
            continue
        wait_until(lambda pair=pair: state(pair) == "done", 20)
        pair.check_one(rest(service, session("manager", "2000")))
    assert step > 10


def test_an_undo_ends_whenever_it_is_killed(crm, gate, session, rest, mongo):
    service, step, killed = crm(), 0, True
    while killed:
        step += 1
        client = rest(service, session("manager", "2000"))
        pair = Pair(client, step)
        path, body = pair.merge()
        merge_id = client.post(path, body, headers={"If-Match": "*"}).json()["mergeId"]
        killed = start_and_kill(service, gate, step, client, f"/api/crm/merges/{merge_id}/undo",
                                None)
        if killed:
            service = crm()
        client = rest(service, session("manager", "2000"))
        if step == 1:
            pair.check_one(client)
            continue
        wait_until(lambda merge_id=merge_id: mongo.database.merges.find_one(
            {"_id": merge_id})["state"] == "undone", 20)
        pair.check_two(client)
    assert step > 10


def test_nothing_old_is_ever_read_again(crm, session, rest, redis, mongo):
    first, second = crm(), crm()
    readers = [rest(each, session("manager", "2000")) for each in (first, second)]
    made = make(readers[0], "clients", name="0", team="1")
    path, key = f"/api/crm/clients/{made['id']}", f"cache:client:{made['id']}"
    assert readers[0].get(path).json() == made
    wait_until(lambda: redis.hexists(key, "doc"))
    mongo.database.clients.update_one({"_id": made["id"]}, {"$set": {"name": "behind its back"}})
    cached = readers[1].get(path)
    assert cached.json() == made and cached.headers["ETag"] == '"1"'
    mongo.database.clients.update_one({"_id": made["id"]}, {"$set": {"name": "0"}})
    stop, worst = threading.Event(), []

    def read(client):
        newest = 0
        while not stop.is_set():
            version = client.get(path).json()["version"]
            worst.append(version - newest)
            newest = max(newest, version)
    threads = [threading.Thread(target=read, args=(rest(each, session("agent", f"100{number}",
               team="1")),)) for number, each in enumerate((first, second) * 2)]
    for each in threads:
        each.start()
    for version in range(1, 40):
        answer = patch(readers[version % 2], path, {"name": str(version)}, f'"{version}"')
        assert answer.status_code == 200, answer.text
        for client in readers:
            assert client.get(path).json()["name"] == str(version)
    stop.set()
    for each in threads:
        each.join()
    assert min(worst) >= 0 and len(worst) > 100
    agent = rest(second, session("agent", "1009", team="2"))
    assert readers[0].get(path).status_code == 200
    assert_error(agent.get(path), 404, "not_found")
    assert readers[0].delete(path, headers={"If-Match": "*"}).status_code == 200
    assert_error(readers[1].get(path), 410, "deleted")
    admin, reads = rest(first, session("admin", "")), len(worst) + 2 * 39 + 3

    def told():
        times, cursor = 0, ""
        while cursor is not None:
            page = admin.get(path + "/audit?limit=200" + (cursor and f"&cursor={cursor}")).json()
            times += sum(each["times"] for each in page["entries"]
                         if (each["method"], each["route"]) == ("GET", "/api/crm/clients/{id}"))
            cursor = page["nextCursor"]
        return times
    wait_until(lambda: told() >= reads, 20)
    assert told() == reads


def test_a_writer_that_dies_leaves_nothing_old(crm, gate, session, rest, redis):
    service = crm()
    client = rest(service, session("manager", "2000"))
    made = make(client, "clients", name="old")
    path, key = f"/api/crm/clients/{made['id']}", f"cache:client:{made['id']}"
    client.get(path)
    wait_until(lambda: redis.hexists(key, "doc"))
    gate.hold(2)  # the claim is written, the record is not

    def change():
        try:
            patch(client, path, {"name": "new"})
        except requests.RequestException:
            pass
    writing = threading.Thread(target=change)
    writing.start()
    assert gate.held.wait(20)
    assert not redis.hexists(key, "doc")
    service.kill9()
    writing.join()
    gate.release()
    client = rest(crm(), session("manager", "2000"))
    assert client.get(path).json()["name"] == "old"
    assert_error(patch(client, path, {"name": "newer"}, '"1"'), 412, "changed_meanwhile")
    assert client.get(path).json()["name"] == "new"
    assert not redis.hexists(key, "doc")
    assert 0 < redis.pttl(key) <= 120_000
