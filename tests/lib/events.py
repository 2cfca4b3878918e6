"""Events as call-lifecycle and auth-svc put them on the streams, for tests that run without them."""

import json
import time


def envelope(call_id, *extensions, kind="call:ringing", data=None, **fields):
    body = {"v": 1, "eventType": kind, "callId": call_id, "pbx": "main",
            "timestamp": int(time.time() * 1000), "data": data or {"state": "ringing"},
            "redisKey": f"call:{call_id}"}
    if extensions:
        body |= {"extension": extensions[0], "extensions": list(extensions)}
    return body | fields


def add(redis, call_id, *extensions, stream="events:call", **options):
    """Writes one event; returns its cursor."""
    text = json.dumps(envelope(call_id, *extensions, **options))
    return f"{stream[len('events:'):]}:{redis.xadd(stream, {'e': text})}"


def add_many(redis, count, *extensions, first=0, stream="events:call", data=None):
    """Writes events of calls c<first>, c<first+1>, ...; returns their cursors."""
    pipe = redis.pipeline(transaction=False)
    for number in range(first, first + count):
        pipe.xadd(stream, {"e": json.dumps(envelope(f"c{number}", *extensions, data=data))})
    return [f"{stream[len('events:'):]}:{entry}" for entry in pipe.execute()]


def revoke(redis, session, reason="logout"):
    """As auth-svc ends a session: the hash goes, the event comes."""
    session.revoke()
    body = {"v": 1, "eventType": "session:revoked", "extension": session.extension,
            "extensions": [session.extension], "timestamp": int(time.time() * 1000),
            "data": {"sessionId": session.id, "userId": f"u-{session.username}", "reason": reason},
            "redisKey": f"session:{session.id}"}
    redis.xadd("events:session", {"e": json.dumps(body)})
