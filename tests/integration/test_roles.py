"""Every route of every daemon, as every role, for the caller's own and others': the outcome is that of
proto/permissions.json and of x-permission and x-own in proto/openapi.yaml, and nothing else."""

import json
import re

import pytest
import requests

from lib import openapi, teams
from lib.daemon import ROOT
from lib.services import SERVICES, settings

TABLE = json.loads((ROOT / "proto/permissions.json").read_text())
ROLES = [role["name"] for role in TABLE["roles"]]
OWN, OTHER = "1001", "1002"
# Calls are their extensions' own, where the document says nothing else.
CALL_ROUTES = re.compile(r"/api/ami/calls/{callId}(/|$)")
# What says that ownership, not the table, is why: the codes of the guards.
GUARDS = {"not_your_call", "not_own_extension", "not_own_session", "not_in_team"}
TEAM, OTHER_TEAM = "7", "8"


def permissions_of(role):
    """A role has everything that those below it have."""
    below = TABLE["roles"][:ROLES.index(role) + 1]
    return {"session"} | {name for each in below for name in each["adds"]}


def ownership(path, operation):
    """(parameter, permission that makes up for it), or None where nothing is anybody's own."""
    if "x-own" in operation:
        return re.fullmatch(r"(\w+), or (\w+)", operation["x-own"]).groups()
    return ("callId", "all_calls") if CALL_ROUTES.match(path) else None


def operations(service):
    return [(method, path, operation) for method, path, operation in openapi.operations()
            if service in operation["tags"] and "x-listener" not in operation
            and operation["x-permission"] != "public"]


@pytest.fixture(params=SERVICES)
def one(request, daemon):
    service = request.param
    made = daemon(service, until="sees_redis", **settings(service, request))
    made.service = service
    if service == "auth-svc":
        made.wait_ready(made.ready, 20)
        people(request.getfixturevalue("database"))
    return made


def people(database):
    """Users of both extensions, and one whom nobody else is about."""
    for number, extension in ((101, OWN), (102, OTHER), (103, "1003")):
        database.query(
            "INSERT INTO users (id, username, password_hash, role, extension, created_at, "
            "updated_at) VALUES (%s, %s, 'x', 'agent', %s, 1, 1)", number, f"person{number}", extension)


def fill(path, values):
    """Parameters that nobody cares about here name things that are not there."""
    return re.sub(r"{(\w+)}", lambda found: values.get(found[1], "999999"), path)


def put_calls(redis):
    for call_id, extensions in (("own-call", [OWN]), ("other-call", [OTHER])):
        redis.hset(f"call:{call_id}", mapping={
            "callId": call_id, "pbx": "main", "state": "established", "startedAt": 1,
            "extensions": json.dumps(extensions)})


def sample(schema):
    """The least that the schema asks for, so that a handler that looks at the body first goes on."""
    schema = openapi.resolve(schema)
    if "enum" in schema:
        return schema["enum"][0]
    kind = schema.get("type", "object")
    if kind == "object":
        return {name: sample(schema["properties"][name]) for name in schema.get("required", ())}
    return {"string": "1003", "integer": schema.get("minimum", 1), "boolean": True,
            "array": []}[kind[0] if isinstance(kind, list) else kind]


def ask(one, method, path, operation, caller):
    content = operation.get("requestBody", {}).get("content", {}).get("application/json")
    body = {"json": sample(content["schema"])} if content else {}
    return requests.request(method, one.url + path, headers=caller.headers, timeout=15, **body)


def expected(role, operation, owned, is_own):
    """403 by the table, 403 by the guard, or None: it passes."""
    has = permissions_of(role)
    if operation["x-permission"] not in has:
        return "forbidden"
    if owned and not is_own and owned[1] not in has:
        return "guard"
    return None


def check(answer, wanted, where):
    code = answer.json()["error"]["code"] if answer.status_code in (401, 403) else None
    if wanted == "forbidden":
        assert (answer.status_code, code) == (403, "forbidden"), f"{where}: {answer.text}"
    elif wanted == "guard":
        assert answer.status_code == 403 and code in GUARDS, f"{where}: {answer.text}"
    else:
        assert answer.status_code != 401 and code not in {"forbidden", *GUARDS}, \
            f"{where}: {answer.status_code} {answer.text[:300]}"


@pytest.mark.parametrize("role", ROLES)
def test_every_route_as_every_role(one, redis, session, role):
    for method, path, operation in operations(one.service):
        owned = ownership(path, operation)
        for is_own in (True, False) if owned else (True,):
            put_calls(redis)
            caller, other = session(role, OWN), session("agent", OTHER)
            values = {"callId": "own-call" if is_own else "other-call",
                      "extension": OWN if is_own else OTHER,
                      "sessionId": (caller if is_own else other).id}
            if "/users/{id}" in path or "/agents/{id}" in path:
                values["id"] = "103"
            answer = ask(one, method, fill(path, values), operation, caller)
            check(answer, expected(role, operation, owned, is_own),
                  f"{role}: {method} {path} ({'own' if is_own else 'other'})")


def put_teams(one, request, redis):
    """The one extension is of the manager's team, the other one of another."""
    teams.put(redis, t7=[OWN], t8=[OTHER])
    if one.service != "auth-svc":
        return
    query = request.getfixturevalue("database").query
    for number, team in ((101, TEAM), (102, OTHER_TEAM)):
        query("INSERT INTO teams (id, name, created_at) VALUES (%s, %s, 1)", team, f"team {team}")
        query("UPDATE users SET team_id = %s WHERE id = %s", team, number)


def of_a_team(path, operation):
    """(parameter, permission) of what belongs to a team. A session is its owner's alone."""
    if path.startswith("/api/users/agents/{id}"):
        return "id", operation["x-permission"]
    owned = ownership(path, operation)
    return None if owned is None or owned[0] == "sessionId" else owned


def test_every_route_as_a_manager_of_a_team(one, request, redis, session):
    """What the role gives it has for its own team; for another one's the guard says no."""
    put_teams(one, request, redis)
    has = permissions_of("manager")
    for method, path, operation in operations(one.service):
        owned = of_a_team(path, operation)
        for in_team in (True, False) if owned else ():
            put_calls(redis)
            caller = session("manager", "2000", teams=TEAM)
            values = {"callId": "own-call" if in_team else "other-call",
                      "extension": OWN if in_team else OTHER, "id": "101" if in_team else "102"}
            wanted = ("forbidden" if operation["x-permission"] not in has else
                      None if in_team and owned[1] in has else "guard")
            check(ask(one, method, fill(path, values), operation, caller), wanted,
                  f"manager: {method} {path} ({'own' if in_team else 'another'} team)")


def test_roles_are_steps():
    """Each role may do more than the one below it, so that 'below the own role' means something."""
    held = [permissions_of(role) for role in ROLES]
    assert all(lower < higher for lower, higher in zip(held, held[1:]))
    assert all(role["adds"] for role in TABLE["roles"])


def test_every_permission_opens_something():
    """One that no route and no rule of ownership asks for is a promise that nobody keeps."""
    asked = {operation["x-permission"] for _, _, operation in openapi.operations()}
    asked |= {owned[1] for _, path, operation in openapi.operations()
              if (owned := ownership(path, operation))}
    elsewhere = {"manage_admins", "manage_pbx"}  # who may change whom; pbx-config-svc
    assert set(TABLE["permissions"]) <= asked | elsewhere
