"""An agent made by REST: its telephone registers at once, rings, is in its queue; and is gone."""

import time

import pytest

from lib.client import Rest, assert_error
from lib.phone import Phone
from lib.process import wait_until

EXTENSION = "1020"


@pytest.fixture
def agent(stack, office):
    """What POST /api/users/agents answered, and a telephone with the secret in it."""
    office.quiet()
    made = office.admin.post("/api/users/agents", {
        "extension": EXTENSION, "username": "agent1020", "displayName": "New Änne",
        "queues": ["support"]})
    assert made.status_code == 201, made.text
    secret = stack.run / f"secrets/sip-{EXTENSION}"
    secret.touch(0o600)
    secret.write_text(made.json()["sip"]["password"])
    yield made.json()
    secret.unlink()
    office.quiet()
    stack.stop(f"phone@{EXTENSION}")
    office.admin.delete(f"/api/users/agents/{made.json()['agent']['id']}")


def test_a_new_agents_telephone_works_at_once(stack, office, agent):
    ann = office.agent(1001)
    stack.up(f"phone@{EXTENSION}")
    wait_until(lambda: f"{EXTENSION}/sip:" in stack.cli(f"pjsip show endpoint {EXTENSION}"), 20,
               "the telephone's registration")
    phone = Phone(stack.prefix, EXTENSION)
    try:
        began = time.monotonic()
        call_id = ann.originate(EXTENSION)
        ann.phone.rings(began)
        ann.phone.answer()
        phone.rings(began)
        phone.answer()
        phone.talks(began)
        ann.sees(call_id, "established")
        ann.hang_up(call_id)
        phone.is_free(began)

        # in its queue too, of which nobody else has a telephone here
        login = office.login("agent1020", agent["password"])
        assert login["ami"]["extension"] == EXTENSION
        wait_until(lambda: f"PJSIP/{EXTENSION}" in stack.cli("queue show support"), 10,
                   "its place in the queue")
        office.quiet()
        began = time.monotonic()
        ann.originate("5000")
        ann.phone.rings(began)
        ann.phone.answer()
        phone.rings(began, 20)
        office.quiet()

        token = login["jwt"]["token"]
        me = Rest(stack.url, token)
        assert me.get("/api/auth/me").status_code == 200
        gone = office.admin.delete(f"/api/users/agents/{agent['agent']['id']}")
        assert gone.status_code == 204
        assert_error(me.get("/api/auth/me"), 401, "session_revoked")
        wait_until(lambda: "Unable to find object" in stack.cli(
            f"pjsip show endpoint {EXTENSION}"), 10, "Asterisk to forget the telephone")
        assert not stack.sql(f"SELECT id FROM ps_auths WHERE id = '{EXTENSION}'").strip()
    finally:
        phone.close()
