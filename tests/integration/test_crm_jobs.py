"""crm-data-svc: import and export of many records."""

import csv
import io
import json

import pytest

from lib.client import assert_error
from lib.process import wait_until
from test_crm_records import make, patch

CSV = {"Content-Type": "text/csv"}
LINES = {"Content-Type": "application/x-ndjson"}


@pytest.fixture
def crm(daemon, mongo):
    def start(**settings):
        return daemon("crm-data-svc", CRM_LEASE_TTL_MS=500, **mongo.settings, **settings)
    return start


@pytest.fixture
def service(crm):
    return crm()


@pytest.fixture
def admin(service, session, rest):
    return rest(service, session("admin", "", username="boss"))


def imported(admin, text, query="", headers=None, state="done"):
    answer = admin.call("POST", "/api/crm/imports" + query, data=text.encode(),
                        headers=headers or CSV)
    assert answer.status_code == 202, answer.text
    return ended(admin, answer.headers["Location"], state)


def ended(admin, path, state="done"):
    def over():
        found = admin.get(path).json()
        return found if found["state"] not in ("queued", "running") else None
    job = wait_until(over, 60)
    assert job["state"] == state, job
    return job


def exported(admin, query=""):
    answer = admin.call("POST", "/api/crm/exports" + query)
    assert answer.status_code == 202, answer.text
    job = ended(admin, answer.headers["Location"])
    return job, admin.get(f"/api/crm/jobs/{job['id']}/result").text


def counts(job):
    return {name: job[name] for name in ("created", "changed", "same", "refused")}


def names(mongo):
    return {each["name"]: each for each in mongo.database.clients.find()}


FILE = """name,phones,emails,tags,consent,team,custom.shoe
Anna Meier,work: 030 901820;+49 171 5550001,anna@example.org,vip;gold card,calls;!email,1,43
"Firm ""Q"", Ltd",'+49 30 1111,,,,,
'=SUM(A1),,,,,,
=cmd|' /C calc'!A0,,,,,,
Bad Phone,call me,,,,,
Bad Shoe,,,,,,big
,030 1234567,,,,,
too,few
"""


def test_a_file_of_clients_comes_in(admin, mongo):
    make(admin, "fields", name="shoe", label="Shoe", type="number")
    trial = imported(admin, FILE, "?dryRun=true")
    assert counts(trial) == {"created": 3, "changed": 0, "same": 0, "refused": 5}
    assert names(mongo) == {} and trial["dryRun"] is True
    job = imported(admin, FILE)
    assert counts(job) == {"created": 3, "changed": 0, "same": 0, "refused": 5}
    assert job["done"] == job["lines"] == 8 and job["by"] == "u-boss"
    found = names(mongo)
    assert set(found) == {"Anna Meier", 'Firm "Q", Ltd', "=SUM(A1)"}
    anna = found["Anna Meier"]
    assert anna["phones"] == [{"number": "+4930901820", "national": "030901820", "label": "work"},
                              {"number": "+491715550001", "national": "01715550001"}]
    assert anna["consent"] == {"calls": True, "email": False} and anna["custom"] == {"shoe": 43}
    assert anna["tags"] == ["vip", "gold card"] and anna["team"] == "1"
    page = admin.get(f"/api/crm/jobs/{job['id']}/errors?limit=3").json()
    rest = admin.get(f"/api/crm/jobs/{job['id']}/errors?cursor={page['nextCursor']}").json()
    errors = {each["line"]: each["code"] for each in page["errors"] + rest["errors"]}
    assert errors == {5: "formula", 6: "invalid_number", 7: "invalid_field", 8: "missing_field",
                      9: "wrong_column_count"} and rest["nextCursor"] is None
    assert admin.get("/api/crm/lookup?number=030901820").json()["clients"][0]["id"] == anna["_id"]
    history = admin.get(f"/api/crm/clients/{anna['_id']}/history").json()["changes"]
    assert [(each["action"], each["by"]) for each in history] == [("created", "u-boss")]
    audit = admin.get(f"/api/crm/clients/{anna['_id']}/audit").json()["entries"]
    assert any(each["route"] == "/api/crm/imports" for each in audit)


def test_a_file_goes_out_is_changed_and_comes_back(admin, service, session, rest):
    anna = make(admin, "clients", name="-Anna; \\ \"A\"", phones=[{"number": "030 901820",
                "label": "at work"}, "040 1234567"], tags=["a;b", "c"], remarks="two\nlines",
                consent={"calls": True, "email": False})
    bert = make(admin, "clients", name="Bert", team="2")
    job, text = exported(admin)
    rows = {each["id"]: each for each in csv.DictReader(io.StringIO(text))}
    assert job["done"] == 2 and set(rows) == {anna["id"], bert["id"]}
    assert rows[anna["id"]]["name"].startswith("'-") and rows[anna["id"]]["version"] == "1"
    assert counts(imported(admin, text)) == {"created": 0, "changed": 0, "same": 2, "refused": 0}
    patch(admin, f"/api/crm/clients/{bert['id']}", {"tags": ["x"]})
    changed = imported(admin, text.replace("Bert", "Bertha").replace("two", "three"))
    assert counts(changed) == {"created": 0, "changed": 1, "same": 0, "refused": 1}
    errors = admin.get(f"/api/crm/jobs/{changed['id']}/errors").json()["errors"]
    assert errors[0]["code"] == "changed_meanwhile"
    now = admin.get(f"/api/crm/clients/{anna['id']}").json()
    assert now["remarks"] == "three\nlines" and now["phones"] == anna["phones"]
    assert "imported" not in now
    job, text = exported(admin, "?format=jsonl&team=2")
    lines = [json.loads(each) for each in text.splitlines()]
    assert [each["name"] for each in lines] == ["Bert"]
    lines[0] |= {"name": "Berta", "tags": None}
    again = imported(admin, json.dumps(lines[0]) + "\n\nnonsense\n", headers=LINES)
    assert counts(again) == {"created": 0, "changed": 1, "same": 0, "refused": 1}
    errors = admin.get(f"/api/crm/jobs/{again['id']}/errors").json()["errors"]
    assert errors == [{"line": 3, "code": "malformed_line",
                       "message": "This is no JSON object"}]
    audit = admin.get(f"/api/crm/clients/{bert['id']}/audit").json()["entries"]
    assert any(each["route"] == "/api/crm/exports" for each in audit)
    other = rest(service, session("superuser", "", username="root"))
    assert other.get(f"/api/crm/jobs/{job['id']}").json()["state"] == "done"
    assert_error(other.get(f"/api/crm/jobs/{job['id']}/result"), 404, "not_found")
    listed = admin.get("/api/crm/jobs?limit=2").json()
    assert listed["jobs"][0]["id"] == again["id"] and listed["nextCursor"]


def test_clients_are_known_by_their_number_and_contacts_follow(admin, mongo):
    anna = make(admin, "clients", name="Anna", phones=["030 901820"])
    for _ in range(2):
        make(admin, "clients", name="Twin", phones=["030 3333333"])
    text = "name,phones,language\nAnna,0049 30 901820,de\nNew,030 5555555,de\nX,030 3333333,de\n"
    first = imported(admin, text, "?match=number")
    assert counts(first) == {"created": 1, "changed": 1, "same": 0, "refused": 1}
    again = imported(admin, text, "?match=number")
    assert counts(again) == {"created": 0, "changed": 0, "same": 2, "refused": 1}
    assert mongo.database.clients.count_documents({}) == 4
    people = imported(admin, f"clientId,name\n{anna['id']},Carla\nnobody,Dora\n", "?of=contacts")
    assert counts(people) == {"created": 1, "changed": 0, "same": 0, "refused": 1}


def test_a_killed_import_goes_on_where_it_was(crm, service, admin, session, rest, mongo):
    lines = "".join(f"Client {number},030 2{number:06}\n" for number in range(450))
    answer = admin.call("POST", "/api/crm/imports", data=("name,phones\n" + lines).encode(),
                        headers=CSV)
    for kills in range(1, 4):
        wait_until(lambda: mongo.database.clients.count_documents({}) >= 80 * kills, 60)
        service.kill9()
        service = crm()
    admin = rest(service, session("admin", "", username="boss"))
    job = ended(admin, answer.headers["Location"])
    assert counts(job) == {"created": 450, "changed": 0, "same": 0, "refused": 0}
    found = [each["name"] for each in mongo.database.clients.find()]
    assert sorted(found) == sorted(f"Client {number}" for number in range(450))
    assert mongo.database.numbers.count_documents({}) == 450
    assert all(len(each["of"]) == 1 for each in mongo.database.numbers.find())


def test_an_import_can_be_ended(admin, mongo):
    lines = "".join(f"Client {number}\n" for number in range(3000))
    answer = admin.call("POST", "/api/crm/imports", data=("name\n" + lines).encode(), headers=CSV)
    path = answer.headers["Location"]
    wait_until(lambda: admin.get(path).json()["done"] > 0, 60)
    assert admin.post(path + "/cancel").status_code == 202
    job = ended(admin, path, "cancelled")
    assert 0 < job["done"] < 3000
    assert mongo.database.clients.count_documents({}) == job["created"]
    assert_error(admin.post(path + "/cancel"), 409, "is_over")


def test_what_is_no_import_is_refused(admin, service, session, rest, mongo):
    def ask(text, query="", headers=None):
        return admin.call("POST", "/api/crm/imports" + query, data=text, headers=headers or CSV)
    for text, headers in ((b"", CSV), (b"name\n", CSV), (b"$where\nx\n", CSV), (b"\n", LINES),
                          (b"name,name\nx,y\n", CSV), (b"k.live\ntrue\n", CSV), (b'"name', CSV),
                          (b"custom.a.b\nx\n", CSV), (b"_id\nx\n", CSV)):
        assert_error(ask(text, headers=headers), 400, "invalid_file")
    assert_error(ask(b"name\n\xff\n"), 400, "invalid_text")
    assert_error(ask(b"name\na\0b\n"), 400, "invalid_text")
    assert_error(ask(b"<x/>", headers={"Content-Type": "text/xml"}), 415, "unsupported_media_type")
    for query in ("?of=messages", "?of=$gt", "?dryRun=perhaps", "?match=name"):
        assert_error(ask(b"name\nx\n", query), 400, "bad_request")
    for query in ("?of=audit", "?format=xml", "?since=soon"):
        assert_error(admin.call("POST", "/api/crm/exports" + query), 400, "bad_request")
    assert mongo.database.jobs.count_documents({}) == 0
    job = imported(admin, '{"name": {"$gt": ""}}\n{"$set": 1}\n{"name": "x", "k.live": 1}\n'
                   '{"id": {"$ne": 1}, "name": "x"}\n{"id": "none", "name": "x"}\n' +
                   "[" * 40 + "\n", headers=LINES)
    assert counts(job) == {"created": 0, "changed": 0, "same": 0, "refused": 6}
    assert mongo.database.clients.count_documents({}) == 0
    manager = rest(service, session("manager", "2000"))
    for method, path in (("POST", "imports"), ("POST", "exports"), ("GET", "jobs"),
                         ("GET", f"jobs/{job['id']}"), ("GET", f"jobs/{job['id']}/result")):
        assert_error(manager.call(method, f"/api/crm/{path}"), 403, "forbidden")


def test_files_are_not_kept_for_ever(admin, service, crm, session, rest, mongo):
    make(admin, "clients", name="Anna")
    job, _ = exported(admin)
    mongo.database.job_parts.update_many({}, {"$set": {"madeAt": 1}})
    service.stop()
    admin = rest(crm(), session("admin", "", username="boss"))
    path = f"/api/crm/jobs/{job['id']}"
    wait_until(lambda: mongo.database.job_parts.count_documents({}) == 0, 30)
    assert_error(admin.get(path + "/result"), 410, "expired")
    assert admin.get(path).json()["state"] == "done"
