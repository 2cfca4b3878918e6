"""auth-svc: agents with their telephones, teams, import from CSV."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from lib.client import assert_error
from lib.process import wait_until
from lib.who import AGENT_PASSWORD, login, make_user, token_of


@pytest.fixture
def office(auth, database):
    """A client of an auth-svc with two queues, and the superuser's token as its own."""
    client = auth()
    client.token = token_of(client)
    database.query("INSERT INTO queues (name, strategy) VALUES ('sales', 'ringall'), "
                   "('support', 'rrmemory')")
    return client


def make_agent(client, number, **fields):
    return client.post("/api/users/agents",
                       {"extension": f"1{number:03}", "username": f"agent{number}", **fields})


def rows(database, table, **where):
    clause = " AND ".join(f"{name} = %s" for name in where)
    return database.query(f"SELECT * FROM {table} WHERE {clause}", *where.values())


def test_an_agent_is_made_whole(office, database, redis):
    made = make_agent(office, 1, displayName="Ann Ünlü", email="ann@example.org",
                      queues=["support", "sales", "sales"])
    assert made.status_code == 201, made.text
    agent, sip = made.json()["agent"], made.json()["sip"]
    assert made.headers["Location"] == f"/api/users/agents/{agent['id']}"
    assert agent["extension"] == "1001" and agent["role"] == "agent" and agent["phone"]
    assert agent["queues"] == ["sales", "support"]
    endpoint, = rows(database, "ps_endpoints", id="1001")
    assert endpoint["aors"] == endpoint["auth"] == "1001"
    assert endpoint["callerid"] == '"Ann Ünlü" <1001>'
    assert endpoint["context"] == "from-internal" and endpoint["allow"] == "ulaw,alaw"
    secret, = rows(database, "ps_auths", id="1001")
    assert secret["password"] == sip["password"] and len(sip["password"]) == 24
    assert rows(database, "ps_aors", id="1001")[0]["max_contacts"] == 1
    members = rows(database, "queue_members", interface="PJSIP/1001")
    assert {each["queue_name"] for each in members} == {"sales", "support"}
    assert all(each["state_interface"] == "PJSIP/1001" for each in members)
    assert {(each["paused"], each["reason_paused"]) for each in members} == {(1, "offline")}
    # the password that was made works, and so does another after a change
    assert login(office, "agent1", made.json()["password"]).status_code == 200
    # its secret is nowhere to be read
    for path in ("/api/users/agents", f"/api/users/agents/{agent['id']}", "/api/users"):
        assert sip["password"] not in office.get(path).text
    assert sip["password"] not in office.daemon.log
    told = [json.loads(fields["a"]) for _, fields in redis.xrange("actions:main")]
    assert ["Command", "pjsip reload qualify endpoint 1001"] in told[0]["fields"]
    assert {each["action"] for each in told} == {"Command", "QueueStatus"}


def test_a_wrong_password_of_an_imported_agent_takes_as_long(office):
    made = make_agent(office, 1).json()
    before = office.daemon.metric("mayday_auth_password_hash_seconds_sum")
    assert_error(login(office, "agent1", "not-the-password"), 401, "invalid_credentials")
    took = office.daemon.metric("mayday_auth_password_hash_seconds_sum") - before
    average = before / office.daemon.metric("mayday_auth_password_hash_seconds_count")
    assert took > average / 4 and made["password"]


def test_it_is_all_or_nothing(office, database):
    assert make_agent(office, 1, email="ann@example.org").status_code == 201
    database.query("INSERT INTO ps_aors (id) VALUES ('1007')")
    database.query("INSERT INTO voice_extensions (context, exten, priority, app, appdata) VALUES "
                   "('from-internal', '1008', 1, 'Answer', '')")
    for fields, code in (
            ({"extension": "1001"}, "extension_taken"), ({"username": "agent1"}, "username_taken"),
            ({"email": "Ann@Example.org"}, "email_taken"), ({"extension": "1007"}, "phone_exists"),
            ({"extension": "1008"}, "number_in_dialplan"), ({"teamId": "99"}, "team_not_found"),
            ({"queues": ["sales", "nowhere"]}, "queue_not_found")):
        assert_error(make_agent(office, 2, **fields), 409, code)
    for table, column in (("users", "username"), ("ps_endpoints", "id"), ("ps_auths", "id")):
        for value in ("agent2", "1002", "1007", "1008"):
            assert not rows(database, table, **{column: value}), (table, value)


@pytest.mark.parametrize("fields, field", [
    ({"extension": "5000"}, "extension"), ({"extension": "10a1"}, "extension"),
    ({"extension": "1001\r\nX: y"}, "extension"), ({"username": "Ann"}, "username"),
    ({"username": "аnn"}, "username"),  # its first letter is Cyrillic
    ({"displayName": 'x" <0900>'}, "displayName"), ({"displayName": "a\nb"}, "displayName"),
    ({"email": "ann"}, "email"), ({"email": "a@b@c.org"}, "email"),
    ({"password": "agent2-agent2"}, "password"), ({"queues": "sales"}, "queues"),
    ({"queues": ["a,b"]}, "queues"), ({"queues": [f"q{n}" for n in range(17)]}, "queues"),
    ({"queues": [7]}, "queues"), ({"teamId": "1 OR 1=1"}, "teamId"), ({"role": "admin"}, "role"),
])
def test_bad_agents_are_refused(office, database, fields, field):
    answer = make_agent(office, 2, **fields)
    assert answer.status_code == 400, answer.text
    assert answer.json()["error"]["details"] == {"field": field}
    assert not rows(database, "users", username="agent2")


def test_one_extension_is_made_once_however_many_ask(office, database):
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda n: office.post("/api/users/agents", {
            "extension": "1001", "username": f"agent{n}"}), range(8)))
    codes = sorted(each.status_code for each in answers)
    assert codes == [201] + [409] * 7, [each.text for each in answers]
    assert len(rows(database, "users", extension="1001")) == 1
    assert len(rows(database, "ps_endpoints", id="1001")) == 1


def test_an_agent_is_changed(office, database):
    agent = make_agent(office, 1, password=AGENT_PASSWORD, queues=["sales"]).json()["agent"]
    path = f"/api/users/agents/{agent['id']}"
    database.query("UPDATE queue_members SET penalty = 3 WHERE queue_name = 'sales'")
    changed = office.put(path, {"displayName": "Ann B", "queues": ["support", "sales"]})
    assert changed.status_code == 200 and changed.json()["queues"] == ["sales", "support"]
    assert rows(database, "ps_endpoints", id="1001")[0]["callerid"] == '"Ann B" <1001>'
    members = {each["queue_name"]: each for each in
               rows(database, "queue_members", interface="PJSIP/1001")}
    assert members["sales"]["penalty"] == 3  # it stayed where it was
    assert {each["membername"] for each in members.values()} == {"Ann B"}
    assert office.put(path, {"queues": []}).json()["queues"] == []
    database.query("UPDATE user_presence SET presence = 'available' WHERE extension = '1001'")
    office.put(path, {"queues": ["support"]})
    assert rows(database, "queue_members", interface="PJSIP/1001")[0]["paused"] == 0
    assert_error(office.put(path, {"queues": ["nowhere"]}), 409, "queue_not_found")
    for bad in ({"extension": "1002"}, {"username": "x"}, {"password": "x" * 12}):
        assert_error(office.put(path, bad), 400, "invalid_field")
    token = token_of(office, "agent1", AGENT_PASSWORD)
    assert office.put(path, {"enabled": False}).json()["enabled"] is False
    assert_error(office.get("/api/auth/me", token=token), 401, "session_revoked")
    old = rows(database, "ps_auths", id="1001")[0]["password"]
    fresh = office.post(f"{path}/sip-secret").json()["sip"]["password"]
    assert fresh != old and rows(database, "ps_auths", id="1001")[0]["password"] == fresh


def test_an_agent_is_removed_whole(office, database, redis):
    agent = make_agent(office, 1, password=AGENT_PASSWORD, queues=["sales"]).json()["agent"]
    token = token_of(office, "agent1", AGENT_PASSWORD)
    assert redis.hget("agent:1001", "availability") == "available"
    assert office.delete(f"/api/users/agents/{agent['id']}").status_code == 204
    assert_error(office.get("/api/auth/me", token=token), 401, "session_revoked")
    for table, column, value in (
            ("users", "extension", "1001"), ("ps_endpoints", "id", "1001"),
            ("ps_auths", "id", "1001"), ("ps_aors", "id", "1001"),
            ("queue_members", "interface", "PJSIP/1001"), ("user_presence", "extension", "1001")):
        assert not rows(database, table, **{column: value}), table
    assert_error(office.get(f"/api/users/agents/{agent['id']}"), 404, "user_not_found")
    actions = [row["action"] for row in
               database.query("SELECT action FROM audit WHERE subject = 'agent1' ORDER BY id")]
    assert [each for each in actions if each.startswith("agent:")] == \
        ["agent:created", "agent:removed"]
    assert make_agent(office, 1).status_code == 201


# ---- teams

def test_managers_see_their_teams_only(office, redis):
    mary = make_user(office, office.token, "mary", "manager").json()["id"]
    team = office.post("/api/users/teams", {"name": "North", "managers": [mary]})
    assert team.status_code == 201 and team.json()["managers"] == [mary]
    other = office.post("/api/users/teams", {"name": "South"}).json()["id"]
    agents = [make_agent(office, n, teamId=team_id).json()["agent"]
              for n, team_id in ((1, team.json()["id"]), (2, other), (3, None)) if team_id]
    alone = make_agent(office, 3).json()["agent"]
    token = token_of(office, "mary", AGENT_PASSWORD)

    def seen():
        page = office.get("/api/users/agents", token=token).json()
        return [each["extension"] for each in page["agents"]]
    assert seen() == ["1001"]
    assert office.get(f"/api/users/agents/{agents[0]['id']}", token=token).status_code == 200
    for hidden in (agents[1], alone):
        assert_error(office.get(f"/api/users/agents/{hidden['id']}", token=token), 403,
                     "not_in_team")
    listed = office.get("/api/users/teams", token=token).json()["teams"]
    assert [each["name"] for each in listed] == ["North"] and listed[0]["members"] == 1
    assert_error(office.post("/api/users/teams", {"name": "x"}, token=token), 403, "forbidden")
    wait_until(lambda: redis.smembers(f"team:{other}:extensions") == {"1002"})
    assert redis.smembers(f"team:{team.json()['id']}:extensions") == {"1001"}
    agent = make_user(office, office.token, "norma", teamId=team.json()["id"]).json()["id"]
    assert token_of(office, "norma", AGENT_PASSWORD)
    session, = [key for key in redis.keys("session:*") if redis.hget(key, "username") == "norma"]
    assert redis.hget(session, "team") == team.json()["id"] and redis.hget(session, "teams") == ""
    office.put(f"/api/users/{agent}", {"teamId": other}, token=office.token)
    wait_until(lambda: redis.hget(session, "team") == other)
    # another team counts at once, in sessions that live
    assert office.put(f"/api/users/teams/{other}", {"managers": [mary]}).status_code == 200
    session, = [key for key in redis.keys("session:*") if redis.hget(key, "username") == "mary"]
    wait_until(lambda: redis.hget(session, "teams") == f"{team.json()['id']} {other}")
    assert seen() == ["1001", "1002"]
    assert office.get(f"/api/users/agents/{agents[1]['id']}", token=token).status_code == 200
    assert office.delete(f"/api/users/teams/{other}").status_code == 204
    assert seen() == ["1001"]
    wait_until(lambda: not redis.exists(f"team:{other}:extensions"))


def test_bad_teams_are_refused(office):
    assert office.post("/api/users/teams", {"name": "North"}).status_code == 201
    assert_error(office.post("/api/users/teams", {"name": "North"}), 409, "team_name_taken")
    assert_error(office.post("/api/users/teams", {"name": "x", "managers": ["999"]}), 409,
                 "manager_not_found")
    for bad in ({"name": ""}, {"name": "a,b"}, {"managers": []}, {"name": "x", "managers": "1"},
                {"name": "x", "managers": ["x"]}):
        assert office.post("/api/users/teams", bad).status_code == 400
    for method in (office.put, office.delete):
        assert_error(method("/api/users/teams/999", **({"body": {}} if method == office.put
                                                       else {})), 404, "team_not_found")
    assert len(office.get("/api/users/teams").json()["teams"]) == 1


# ---- import

def send_csv(client, text, query=""):
    body = text if isinstance(text, bytes) else text.encode()
    return requests.post(f"{client.url}/api/users/agents/import{query}", data=body, timeout=20,
                         headers={"Authorization": f"Bearer {client.token}",
                                  "Content-Type": "text/csv; charset=utf-8"})


IMPORT = '''\ufeffextension,username,displayName,email,queues\r
1001,ann,"Ünlü, Ann",ann@example.org,sales;support\r
1002,bob,,,\r
\r
1001,carl,,,\r
1003,bob,,,\r
1004,Dora,,,\r
9999,emil,,,\r
1005,fred,,fred@example.org,nowhere\r
1006,gina,"broken" name,,\r
1007,hans\r
1008,ida,,ANN@example.org,\r
'''


def test_agents_from_csv(office, database):
    dry = send_csv(office, IMPORT, "?dryRun=true").json()
    assert dry["dryRun"] and dry["valid"] == 2 and dry["refused"] == 8, dry
    assert len(database.query("SELECT id FROM users")) == 1
    assert "password" not in json.dumps(dry)
    real = send_csv(office, IMPORT).json()
    assert real["created"] == 2 and real["refused"] == 8 and real["notReached"] == 0
    for result in (dry, real):
        codes = {each["line"]: each.get("error", {}).get("code") for each in result["lines"]}
        assert codes == {2: None, 3: None, 5: "extension_taken", 6: "username_taken",
                         7: "invalid_field", 8: "invalid_field", 9: "queue_not_found",
                         10: "malformed_line", 11: "wrong_column_count", 12: "email_taken"}
    ann = real["lines"][0]
    assert ann["outcome"] == "created" and login(office, "ann", ann["password"]).status_code == 200
    assert rows(database, "ps_auths", id="1001")[0]["password"] == ann["sip"]["password"]
    assert rows(database, "ps_endpoints", id="1001")[0]["callerid"] == '"Ünlü, Ann" <1001>'
    again = send_csv(office, IMPORT).json()
    assert again["created"] == 0 and again["lines"][0]["error"]["code"] == "username_taken"


@pytest.mark.parametrize("text", [
    "", "extension\n1001\n", "extension,username,role\n1001,a,admin\n", b"\xff\xfe",
    "extension,extension,username\n1,2,3\n", "extension,username\n",
    "extension,username\n" + "1001,a\n" * 501, '"extension,username\n1001,a\n',
])
def test_bad_csv_is_refused_whole(office, text):
    answer = send_csv(office, text)
    assert_error(answer, 400, "invalid_csv")
    assert office.daemon.alive()


def test_five_hundred_lines_at_once(office, database):
    text = "extension,username\n" + "".join(f"1{n:03},agent{n}\n" for n in range(500))
    created = 0
    while created < 500:
        result = send_csv(office, text).json()
        assert result["created"] > 0, result["lines"][0]
        created += result["created"]
        done = {each["username"] for each in result["lines"] if each["outcome"] != "not_reached"}
        text = "extension,username\n" + "".join(
            f"1{n:03},agent{n}\n" for n in range(500) if f"agent{n}" not in done)
    assert len(database.query("SELECT id FROM ps_endpoints")) == 500
