"""Teams as auth-svc puts them into Redis, for tests that run without it."""

import json
import time
import uuid


def put(redis, **teams):
    """put(redis, t7=["1001"]): who belongs to team 7, from now on; every daemon hears of it."""
    pipe = redis.pipeline()
    for name, extensions in teams.items():
        pipe.sadd("teams", name[1:])
        pipe.delete(f"team:{name[1:]}:extensions")
        if extensions:
            pipe.sadd(f"team:{name[1:]}:extensions", *extensions)
    version = uuid.uuid4().hex[:22]
    pipe.set("team:version", version)
    pipe.xadd("events:session", {"e": json.dumps({
        "v": 1, "eventType": "session:teams_changed", "timestamp": int(time.time() * 1000),
        "data": {"version": version}, "redisKey": "team:version"})})
    pipe.execute()


def manage(redis, session, teams):
    """The teams that a session sees are others now."""
    redis.hset(f"session:{session.id}", "teams", teams)
    put(redis)
