"""crm-data-svc: merges, personal data, figures, who may see what."""

import threading
import time

import pytest

from lib.client import assert_error
from lib.process import wait_until
from test_crm_records import make, patch

DAY = 86_400_000
START = 1_790_000_000_000


@pytest.fixture
def service(daemon, mongo):
    return daemon("crm-data-svc", CRM_LIST_RATE=600, **mongo.settings)


@pytest.fixture
def people(service, session, rest):
    """people(role, extension, teams=...) -> a client of that one"""
    def someone(role, extension, **options):
        return rest(service, session(role, extension, **options))
    return someone


@pytest.fixture
def manager(people):
    return people("manager", "2000", username="lead")


def merge(client, into, other, match="*"):
    return client.post(f"/api/crm/clients/{into}/merge", {"from": other}, headers={"If-Match": match})


def test_two_clients_are_one_and_two_again(manager):
    anna = make(manager, "clients", name="Anna", phones=["030 1111111"], tags=["a"])
    twin = make(manager, "clients", name="A. Meier", phones=["030 1111111", "030 2222222"],
                tags=["b"], address="Lane 1")
    note = make(manager, "notes", clientId=twin["id"], text="of the twin")
    own = make(manager, "notes", clientId=anna["id"], text="of Anna")
    bert = make(manager, "contacts", clientId=twin["id"], name="Bert", phones=["030 3333333"])
    mail = make(manager, "clients", name="Mail", emails=["a@b.de"])
    patch(manager, f"/api/crm/clients/{anna['id']}", {"emails": ["A@b.de"]})
    patch(manager, f"/api/crm/clients/{anna['id']}", {"emails": None})
    found = manager.get(f"/api/crm/clients/{anna['id']}/duplicates").json()["clients"]
    assert [(each["id"], each["same"]) for each in found] == [(twin["id"], "number")]
    patch(manager, f"/api/crm/clients/{anna['id']}", {"emails": ["a@b.de"]})
    found = manager.get(f"/api/crm/clients/{anna['id']}/duplicates").json()["clients"]
    assert [(each["id"], each["same"]) for each in found] == [(twin["id"], "number"),
                                                              (mail["id"], "email")]
    assert_error(merge(manager, anna["id"], anna["id"]), 400, "invalid_field")
    assert_error(merge(manager, anna["id"], "nobody"), 404, "not_found")
    assert_error(merge(manager, anna["id"], twin["id"], '"9"'), 412, "changed_meanwhile")
    done = merge(manager, anna["id"], twin["id"], '"4"')
    assert done.status_code == 200, done.text
    client = done.json()["client"]
    assert [each["number"] for each in client["phones"]] == ["+49301111111", "+49302222222"]
    assert client["tags"] == ["a", "b"] and client["name"] == "Anna"
    assert client["address"] == "Lane 1"
    gone = manager.get(f"/api/crm/clients/{twin['id']}")
    assert_error(gone, 410, "merged")
    assert gone.json()["error"]["details"] == {"mergedInto": anna["id"]}
    notes = manager.get(f"/api/crm/notes?clientId={anna['id']}").json()["notes"]
    assert {each["id"] for each in notes} == {note["id"], own["id"]}
    for number in ("0302222222", "0303333333"):
        found = manager.get(f"/api/crm/lookup?number={number}").json()["clients"]
        assert [each["id"] for each in found] == [anna["id"]], number
    patch(manager, f"/api/crm/clients/{anna['id']}", {"name": "Anna Meier"})
    undo = f"/api/crm/merges/{done.json()['mergeId']}/undo"
    back = manager.post(undo)
    assert back.status_code == 200, back.text
    assert back.json()["client"]["name"] == "Anna Meier" and "address" not in back.json()["client"]
    assert back.json()["client"]["tags"] == ["a"]
    again = manager.get(f"/api/crm/clients/{twin['id']}").json()
    assert again["name"] == "A. Meier" and again["tags"] == ["b"] and "mergedInto" not in again
    notes = manager.get(f"/api/crm/notes?clientId={twin['id']}").json()["notes"]
    assert [each["id"] for each in notes] == [note["id"]]
    found = manager.get("/api/crm/lookup?number=0303333333").json()["clients"]
    assert found[0]["id"] == twin["id"] and found[0]["contact"]["id"] == bert["id"]
    found = manager.get("/api/crm/lookup?number=0302222222").json()["clients"]
    assert [each["id"] for each in found] == [twin["id"]]
    assert_error(manager.post(undo), 409, "cannot_be_undone")
    listed = manager.get(f"/api/crm/clients/{twin['id']}/merges").json()["merges"]
    assert [(each["id"], each["into"], each["state"], each["by"]) for each in listed] == \
        [(done.json()["mergeId"], anna["id"], "undone", "u-lead")]
    assert_error(manager.post("/api/crm/merges/none/undo"), 404, "not_found")


def test_merges_of_merges_are_undone_one_by_one(manager):
    a, b, c = (make(manager, "clients", name=name) for name in "abc")
    note = make(manager, "notes", clientId=a["id"], text="of a")
    first = merge(manager, b["id"], a["id"]).json()["mergeId"]
    second = merge(manager, c["id"], b["id"]).json()["mergeId"]
    assert_error(manager.post(f"/api/crm/merges/{first}/undo"), 409, "cannot_be_undone")
    for merge_id, owner in ((second, b), (first, a)):
        assert manager.post(f"/api/crm/merges/{merge_id}/undo").status_code == 200
        notes = manager.get(f"/api/crm/notes?clientId={owner['id']}").json()["notes"]
        assert [each["id"] for each in notes] == [note["id"]]


def test_parallel_merges_leave_one_of_each(manager):
    all_of_them = [make(manager, "clients", name=f"c{number}") for number in range(4)]
    notes = [make(manager, "notes", clientId=each["id"], text="x") for each in all_of_them]
    results = []

    def both_ways(number):
        into, other = all_of_them[number % 4], all_of_them[(number + 1 + number // 4) % 4]
        results.append(merge(manager, into["id"], other["id"]).status_code)
    threads = [threading.Thread(target=both_ways, args=(number,)) for number in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert set(results) <= {200, 404, 412}, results
    live = {each["id"] for each in manager.get("/api/crm/clients").json()["clients"]}
    assert len(live) == 4 - results.count(200) >= 1
    assert {manager.get(f"/api/crm/notes/{each['id']}").json()["clientId"]
            for each in notes} <= live


def test_a_person_is_shown_all_and_forgotten(people, mongo, manager):
    admin = people("admin", "", username="boss")
    anna = make(manager, "clients", name="Anna Meier", phones=["030 901820"], emails=["a@b.de"])
    twin = make(manager, "clients", name="Anna Old", remarks="secret")
    make(manager, "notes", clientId=anna["id"], text="Her secret")
    make(manager, "interactions", clientId=anna["id"], kind="email", subject="A secret",
         summary="secret", resolved=True)
    assert merge(manager, anna["id"], twin["id"]).status_code == 200
    path = f"/api/crm/clients/{anna['id']}"
    everything = admin.get(path + "/personal-data").json()
    assert everything["client"]["name"] == "Anna Meier"
    assert everything["notes"][0]["text"] == "Her secret" and len(everything["interactions"]) == 1
    assert_error(manager.post(path + "/erase"), 403, "forbidden")
    assert admin.post(path + "/erase").json()["records"] == 4
    for name in mongo.database.list_collection_names():
        for doc in mongo.database[name].find():
            text = str(doc)
            assert not any(word in text for word in ("secret", "Anna", "901820", "a@b.de")), text
    assert manager.get("/api/crm/lookup?number=030901820").json()["clients"] == []
    assert len(list(mongo.database.interactions.find({"resolved": True}))) == 1
    audit = wait_until(lambda: [each for each in admin.get(path + "/audit").json()["entries"]
                                if each["route"].endswith("/erase")])
    assert audit[0]["by"] == "u-boss"


def test_every_look_at_a_client_is_kept(people, manager):
    admin = people("admin", "", username="boss")
    anna = make(manager, "clients", name="Anna", phones=["030 901820"])
    agent = people("agent", "1001")
    path = f"/api/crm/clients/{anna['id']}"
    agent.get(path)
    agent.get("/api/crm/clients")
    agent.get("/api/crm/lookup?number=030901820")
    agent.get("/api/crm/search?q=anna")
    expected = {("u-user-1001", f"/api/crm/{what}") for what in
                ("clients/{id}", "clients", "lookup", "search")} | {("u-lead", "/api/crm/clients")}
    wait_until(lambda: expected <= {(each["by"], each["route"]) for each in
                                    admin.get(path + "/audit").json()["entries"]})
    pages, cursor = [], ""
    while cursor is not None:
        page = admin.get(path + "/audit?limit=2" + (cursor and f"&cursor={cursor}")).json()
        pages, cursor = pages + page["entries"], page["nextCursor"]
    assert len({each["_id"] for each in pages}) == len(pages) >= len(expected)
    assert_error(admin.get(path + "/audit?cursor=x"), 400, "invalid_cursor")
    assert_error(admin.get("/api/crm/clients/unknown/audit"), 404, "not_found")


def test_agents_see_no_more_than_theirs(people, manager):
    mine = make(manager, "clients", name="Mine", team="1", phones=["030 1111111"])
    theirs = make(manager, "clients", name="Theirs", team="2", phones=["030 1111111"])
    note = make(manager, "notes", clientId=theirs["id"], text="theirs")
    agent = people("agent", "1001", team="1")
    assert [each["id"] for each in agent.get("/api/crm/clients").json()["clients"]] == [mine["id"]]
    found = agent.get("/api/crm/lookup?number=0301111111").json()["clients"]
    assert [each["id"] for each in found] == [mine["id"]]
    assert agent.get("/api/crm/search?q=theirs").json() == {"clients": [], "contacts": [],
                                                            "notes": []}
    for path in (f"clients/{theirs['id']}", f"clients/{theirs['id']}/history",
                 f"notes/{note['id']}"):
        assert_error(agent.get(f"/api/crm/{path}"), 404, "not_found")
    assert_error(patch(agent, f"/api/crm/clients/{theirs['id']}", {"name": "x"}), 404, "not_found")
    assert_error(agent.post("/api/crm/notes", {"clientId": theirs["id"], "text": "x"}), 400,
                 "unknown_client")
    assert patch(manager, f"/api/crm/clients/{theirs['id']}", {"team": "1"}).status_code == 200
    assert agent.get(f"/api/crm/notes/{note['id']}").status_code == 200
    post = make(manager, "posts", title="All", text="hear", team="1")
    over = make(manager, "posts", title="Old", text="over", expiresAt=1)
    make(manager, "posts", title="Later", text="yet", team="2",
         expiresAt=int(time.time() * 1000) + 60_000)
    assert [each["id"] for each in agent.get("/api/crm/posts").json()["posts"]] == [post["id"]]
    seen = agent.get("/api/crm/posts?expired=true").json()["posts"]
    assert {each["id"] for each in seen} == {post["id"], over["id"]}
    for path, body in ((f"clients/{mine['id']}/merge", {"from": theirs["id"]}),
                       ("posts", {"title": "x", "text": "y"})):
        assert_error(agent.post(f"/api/crm/{path}", body), 403, "forbidden")


def test_nobody_takes_the_whole_list_home(people, manager):
    agent = people("agent", "1001")
    for _ in range(3):
        assert agent.get("/api/crm/clients?limit=200").status_code == 200
    answer = agent.get("/api/crm/clients?limit=1")
    assert_error(answer, 429, "listed_too_much")
    assert answer.headers["Retry-After"]
    assert manager.get("/api/crm/clients?limit=200").status_code == 200
    assert people("agent", "1002").get("/api/crm/clients?limit=50").status_code == 200


def test_what_the_interactions_add_up_to(manager, people):
    admin = people("admin", "", username="boss")
    make(admin, "dispositions", code="sold", label="Sold", resolved=True)
    for day, agent, kind, code, reason in ((0, "1001", "email", "sold", "price"),
                                           (0, "1001", "visit", None, "price"),
                                           (1, "1002", "email", "sold", "broken"),
                                           (40, "1002", "email", "sold", None)):
        body = {"kind": kind, "agent": agent, "startedAt": START + day * DAY,
                "disposition": code, "reason": reason}
        make(manager, "interactions", **{key: value for key, value in body.items() if value})

    def groups(by, **query):
        answer = manager.get("/api/crm/analytics", params={"by": by, **query}).json()
        return {each["key"]: each["count"] for each in answer["groups"]}
    reasons = manager.get("/api/crm/analytics?by=reason").json()["groups"]
    assert [each["key"] for each in reasons[:1]] == ["price"]
    assert {each["key"]: each["firstContactResolved"] for each in reasons} == \
        {"price": 1, "broken": 1, "": 1}
    assert groups("agent") == {"1001": 2, "1002": 2}
    assert groups("kind") == {"email": 3, "visit": 1}
    assert groups("reason") == {"price": 2, "broken": 1, "": 1}
    assert groups("disposition", until=START + 2 * DAY) == {"sold": 2, "": 1}
    assert groups("day") == {"2026-09-21": 2, "2026-09-22": 1, "2026-10-31": 1}
    assert groups("day", offsetMinutes=720) == {"2026-09-22": 2, "2026-09-23": 1, "2026-11-01": 1}
    assert groups("month") == {"2026-09": 3, "2026-10": 1}
    totals = manager.get("/api/crm/analytics").json()["totals"]
    assert totals == {"count": 4, "resolved": 3, "repeat": 0, "firstContact": 4,
                      "firstContactResolved": 3}
    anna = make(manager, "clients", name="Anna")
    for _ in range(2):
        make(manager, "interactions", clientId=anna["id"], kind="visit", startedAt=START)
    assert groups("client") == {anna["id"]: 2}
    for wrong in ("by=$where", "by=k", "since=x", "offsetMinutes=9999"):
        assert_error(manager.get("/api/crm/analytics?" + wrong), 400, "bad_request")
