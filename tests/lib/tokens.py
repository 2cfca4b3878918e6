"""Tokens and live sessions as auth-svc makes them, for tests that run without it."""

import time
import uuid

import jwt

SECRET = "test-secret-of-at-least-32-bytes-0123456789"
ISSUER = "mayday"
AUDIENCE = "mayday"
SETTINGS = {"JWT_SECRET": SECRET, "JWT_ISSUER": ISSUER, "JWT_AUDIENCE": AUDIENCE}


def token(session_id, role="agent", extension="1001", username=None, key=SECRET, algorithm="HS256",
          lifetime=900, headers=None, **claims):
    """Claims given as None are left out."""
    now = int(time.time())
    username = username or f"user-{extension}"
    body = {"iss": ISSUER, "aud": AUDIENCE, "sub": f"u-{username}", "sid": session_id,
            "username": username, "role": role, "ext": extension,
            "iat": now, "nbf": now, "exp": now + lifetime, "jti": uuid.uuid4().hex} | claims
    return jwt.encode({name: value for name, value in body.items() if value is not None},
                      key, algorithm, headers=headers)


class Session:
    """A live session in Redis and its token."""

    def __init__(self, redis, role="agent", extension="1001", username=None, ami=True,
                 teams=None, team=""):
        self.redis, self.id = redis, uuid.uuid4().hex
        self.role, self.extension = role, extension
        self.username = username or f"user-{extension}"
        now = int(time.time() * 1000)
        redis.hset(f"session:{self.id}", mapping={
            "userId": f"u-{self.username}", "username": self.username, "role": role,
            "extension": extension, "amiSessionId": uuid.uuid4().hex if ami else "",
            "teams": ("" if role == "agent" else "*") if teams is None else teams,
            "team": team,
            "createdAt": now, "expiresAt": now + 900_000})
        redis.expire(f"session:{self.id}", 900)
        self.token = token(self.id, role, extension, self.username)

    @property
    def headers(self):
        return {"Authorization": f"Bearer {self.token}"}

    def revoke(self):
        self.redis.delete(f"session:{self.id}")
