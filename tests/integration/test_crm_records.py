"""crm-data-svc: clients and what hangs on them, by REST."""

import json

import pytest

from lib.client import assert_error
from lib.process import wait_until


@pytest.fixture
def crm(daemon, mongo):
    def make(until="ready", **settings):
        return daemon("crm-data-svc", until, **{**mongo.settings, **settings})
    return make


@pytest.fixture
def service(crm):
    return crm()


@pytest.fixture
def agent(service, session, rest):
    return rest(service, session("agent", "1001", team="1"))


@pytest.fixture
def admin(service, session, rest):
    return rest(service, session("admin", "", username="boss"))


def make(client, kind, /, **fields):
    response = client.post(f"/api/crm/{kind}", fields)
    assert response.status_code == 201, response.text
    assert response.headers["Location"] == f"/api/crm/{kind}/{response.json()['id']}"
    assert response.headers["ETag"] == '"1"'
    return response.json()


def patch(client, path, body, match="*", **options):
    return client.call("PATCH", path, body, headers={"If-Match": match}, **options)


def test_a_client_comes_and_goes(agent):
    made = make(agent, "clients", name="Anna Meier", phones=["030 901820", {"number": "+44 20 7946 0000",
                "label": "work"}], emails=["Anna@Example.org"], tags=["vip"], consent={"calls": True})
    assert made["phones"] == [{"number": "+4930901820", "national": "030901820"},
                              {"number": "+442079460000", "national": "+442079460000",
                               "label": "work"}]
    assert made["emails"] == ["anna@example.org"] and made["version"] == 1
    assert made["type"] == "person" and made["owner"] == "u-user-1001"
    path = f"/api/crm/clients/{made['id']}"
    assert agent.get(path).json() == made
    changed = patch(agent, path, {"name": "Anna Schmidt", "tags": None}, '"1"')
    assert changed.status_code == 200 and changed.headers["ETag"] == '"2"'
    assert changed.json()["name"] == "Anna Schmidt" and "tags" not in changed.json()
    assert_error(patch(agent, path, {"name": "Late"}, '"1"'), 412, "changed_meanwhile")
    assert_error(agent.call("PATCH", path, {"name": "X"}), 428, "precondition_required")
    assert_error(patch(agent, path, {"name": "X"}, "2"), 400, "bad_request")
    gone = agent.delete(path, headers={"If-Match": '"2"'})
    assert gone.status_code == 200 and gone.json()["deletedAt"]
    assert_error(agent.get(path), 410, "deleted")
    assert agent.get("/api/crm/lookup?number=030901820").json()["clients"] == []
    back = agent.post(path + "/restore", headers={"If-Match": "*"})
    assert back.status_code == 200 and back.json()["version"] == 4
    history = agent.get(path + "/history").json()
    assert [(each["version"], each["action"]) for each in history["changes"]] == \
        [(4, "restored"), (3, "deleted"), (2, "changed"), (1, "created")]
    assert history["changes"][2]["changed"] == {"name": "Anna Schmidt", "tags": None}
    assert history["changes"][2]["by"] == "u-user-1001"
    page = agent.get(path + "/history?limit=3").json()
    rest = agent.get(path + f"/history?limit=3&cursor={page['nextCursor']}").json()
    assert [each["version"] for each in page["changes"] + rest["changes"]] == [4, 3, 2, 1]
    assert rest["nextCursor"] is None


def test_who_calls_is_found_by_any_form_of_the_number(agent):
    anna = make(agent, "clients", name="Anna", phones=["+49 30 901820"])
    firm = make(agent, "clients", name="Firm", type="organisation", phones=["030/901820"])
    person = make(agent, "contacts", clientId=firm["id"], name="Bert", phones=["0171 5550001"])
    for form in ("030901820", "+4930901820", "004930901820", "(030) 901-820", "4930901820"):
        found = agent.get("/api/crm/lookup", params={"number": form}).json()
        assert found["number"] == "+4930901820", form
        assert {each["id"] for each in found["clients"]} == {anna["id"], firm["id"]}
    found = agent.get("/api/crm/lookup?number=01715550001").json()["clients"]
    assert found[0]["id"] == firm["id"] and found[0]["contact"]["id"] == person["id"]
    patch(agent, f"/api/crm/clients/{anna['id']}", {"phones": ["040 1234567"]})
    assert [each["id"] for each in agent.get("/api/crm/lookup?number=030901820").json()["clients"]] \
        == [firm["id"]]
    assert_error(agent.get("/api/crm/lookup?number=abc"), 400, "invalid_number")
    assert_error(agent.get("/api/crm/lookup"), 400, "invalid_number")


def test_lists_go_page_by_page_in_order(agent):
    names = [f"Client {number:02}" for number in range(23)]
    for name in names:
        make(agent, "clients", name=name, tags=["even"] if int(name[-2:]) % 2 == 0 else [])
    for sort, expected in (("name", names), ("-name", names[::-1]), ("createdAt", names),
                           ("-updatedAt", names[::-1])):
        seen, cursor = [], None
        while True:
            page = agent.get("/api/crm/clients", params={"sort": sort, "limit": 5,
                             **({"cursor": cursor} if cursor else {})}).json()
            seen += [each["name"] for each in page["clients"]]
            cursor = page["nextCursor"]
            if cursor is None:
                break
        assert seen == expected, sort
    even = agent.get("/api/crm/clients?tags=even&limit=200").json()["clients"]
    assert len(even) == 12
    assert_error(agent.get("/api/crm/clients?sort=k"), 400, "bad_request")
    assert_error(agent.get("/api/crm/clients?cursor=nonsense"), 400, "invalid_cursor")


def test_search_as_it_is_typed(agent):
    anna = make(agent, "clients", name="Änne Müller-Lüdenscheidt", phones=["030 901820"],
                emails=["ae@example.org"], tags=["gold card"])
    make(agent, "clients", name="Bert", phones=["040 1234567"])
    make(agent, "notes", clientId=anna["id"], text="Wants a refund for the broken kettle")
    for typed in ("än", "Mül", "lüd ÄNN", "0309", "+49 30 90", "ae@ex", "#gold card"):
        found = agent.get("/api/crm/search", params={"q": typed}).json()
        assert [each["id"] for each in found["clients"]] == [anna["id"]], typed
    assert agent.get("/api/crm/search?q=kettl").json()["notes"][0]["clientId"] == anna["id"]
    assert agent.get("/api/crm/search?q=zzz").json()["clients"] == []
    assert agent.get("/api/crm/search", params={"q": "m.ller"}).json()["clients"] == []
    assert_error(agent.get("/api/crm/search?q=a"), 400, "bad_request")


BAD = {
    "an operator for a text": {"name": {"$gt": ""}},
    "an operator as a key": {"name": "x", "$where": "1"},
    "a dotted key": {"name": "x", "k.live": False},
    "the daemon's own": {"name": "x", "k": {"live": True}},
    "the id": {"name": "x", "_id": "mine"},
    "the version": {"name": "x", "v": 7},
    "a number for a text": {"name": 7},
    "an empty name": {"name": ""},
    "no name": {"type": "person"},
    "a large field": {"name": "x" * 201},
    "a megabyte": {"name": "x", "remarks": "x" * 1_000_000},
    "a control character": {"name": "a\u0007"},
    "a phone that is none": {"name": "x", "phones": ["call me"]},
    "a short phone": {"name": "x", "phones": ["+4912"]},
    "a long phone": {"name": "x", "phones": ["+49123456789012345"]},
    "a phone with an operator": {"name": "x", "phones": [{"number": {"$ne": 1}}]},
    "an e-mail that is none": {"name": "x", "emails": ["anna"]},
    "tags that are none": {"name": "x", "tags": [{"$in": []}]},
    "a list that is none": {"name": "x", "tags": "vip"},
    "custom with an operator": {"name": "x", "custom": {"$set": 1}},
    "custom with a dot": {"name": "x", "custom": {"a.b": 1}},
    "custom that is deep": {"name": "x", "custom": {"a": {"b": 1}}},
    "custom that nobody defined": {"name": "x", "custom": {"shoe": 43}},
    "consent to what is not known": {"name": "x", "consent": {"everything": True}},
    "another owner": {"name": "x", "owner": "u-other"},
    "a team of others": {"name": "x", "team": "99"},
}


def test_bad_records_are_refused_and_nothing_changes(agent, mongo):
    made = make(agent, "clients", name="Good")
    for name, body in BAD.items():
        response = agent.post("/api/crm/clients", body)
        assert response.status_code == 400, f"{name}: {response.status_code} {response.text}"
        if "name" in body and len(body) == 1 and body["name"] in ("x",):
            continue
        changed = patch(agent, f"/api/crm/clients/{made['id']}", body)
        assert changed.status_code in (200, 400), name
        if name not in ("no name",):
            assert changed.status_code == 400, name
    assert mongo.database.clients.count_documents({}) == 1
    for path in ("/api/crm/clients/%24gt", "/api/crm/clients/unknown", "/api/crm/notes/1-2"):
        assert agent.get(path).status_code == 404
    for query in ("?name[$ne]=x", "?team[$gt]=", "?owner=%7B%22$ne%22%3A1%7D"):
        assert len(agent.get("/api/crm/clients" + query).json()["clients"]) <= 1
    for kind, body in (("contacts", {"clientId": "none", "name": "x"}),
                       ("notes", {"clientId": "none", "text": "x"}),
                       ("callbacks", {"clientId": "none", "dueAt": 1}),
                       ("interactions", {"kind": "email", "clientId": "none"})):
        assert_error(agent.post(f"/api/crm/{kind}", body), 400, "unknown_client")


def test_custom_fields_are_what_administrators_define(redis, agent, admin):
    assert_error(agent.post("/api/crm/fields", {"name": "shoe", "label": "Shoe", "type": "number"}),
                 403, "forbidden")
    make(admin, "fields", name="shoe", label="Shoe size", type="number")
    make(admin, "fields", name="plan", label="Plan", type="choice", choices=["basic", "gold"])
    kept = [json.loads(fields["a"]) for _, fields in redis.xrange("audit")]
    assert [(each["action"], each["subject"], each["detail"]) for each in kept] == \
        [("crm:changed", "/api/crm/fields", "POST")] * 2
    assert_error(admin.post("/api/crm/fields", {"name": "shoe", "label": "x", "type": "text"}), 409,
                 "already_exists")
    made = make(agent, "clients", name="x", custom={"shoe": 43, "plan": "gold"})
    assert made["custom"] == {"shoe": 43, "plan": "gold"}
    for wrong in ({"shoe": "43"}, {"plan": "iron"}, {"plan": 1}, {"other": 1}):
        assert agent.post("/api/crm/clients", {"name": "x", "custom": wrong}).status_code == 400


def test_parallel_edits_lose_nothing(agent, service, session, rest):
    import threading
    made = make(agent, "clients", name="Start")
    path, results = f"/api/crm/clients/{made['id']}", []

    def edit(number):
        mine = rest(service, session("agent", "1001", team="1"))
        results.append(patch(mine, path, {"remarks": f"by {number}"}, '"1"').status_code)
    threads = [threading.Thread(target=edit, args=(number,)) for number in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert sorted(results) == [200] + [412] * 7
    assert agent.get(path).json()["version"] == 2
    assert len(agent.get(path + "/history").json()["changes"]) == 2


def test_what_the_database_lacks_is_told_and_made(crm, mongo):
    mongo.database.clients.create_index([("tags", 1)], name="another")  # in the way of ours
    service = crm("alive")

    def state():
        return service.get("/readyz").json()["dependencies"]["mongodb"]
    wait_until(lambda: "clients" in state().get("detail", ""))
    assert not state()["ok"]
    mongo.database.clients.drop_index("another")
    wait_until(service.ready, 30)
    wanted = {"tags", "k.words", "k.live name _id"}
    assert wanted <= set(mongo.database.clients.index_information())
    service.stop()
    mongo.database.clients.drop_index("tags")
    service.start()
    assert wanted <= set(mongo.database.clients.index_information())
