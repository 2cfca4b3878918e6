"""People at auth-svc: the superuser that it makes, and users made through it."""

NAME, PASSWORD = "root", "a-long-root-password"
AGENT_PASSWORD = "a-long-agent-password"


def login(client, username=NAME, password=PASSWORD, **fields):
    return client.post("/api/auth/login", {"username": username, "password": password, **fields})


def token_of(client, *credentials, **fields):
    response = login(client, *credentials, **fields)
    assert response.status_code == 200, response.text
    return response.json()["jwt"]["token"]


def refresh(client, token):
    return client.post("/api/auth/refresh", {"refreshToken": token})


def make_user(client, token, username, role="agent", **fields):
    return client.post("/api/users", {"username": username, "password": AGENT_PASSWORD,
                                      "role": role, **fields}, token=token)
