"""Recorded AMI sessions (tests/data/ami) as the entries that the gateway makes of them, and the truth
of them as segments."""

import json
import pathlib
import re

DATA = pathlib.Path(__file__).resolve().parents[1] / "data/ami"
NAMES = sorted(path.name[:-len(".truth.json")] for path in DATA.glob("*.truth.json"))
TALK_TOLERANCE_MS = 300


def truth(name):
    return json.loads((DATA / f"{name}.truth.json").read_text(errors="replace"))


def _reads(name):
    """(ms, offset, length) of each read."""
    for line in (DATA / f"{name}.idx").read_text().splitlines():
        ms, way, offset, length = line.split()
        if way == "<":
            yield float(ms), int(offset), int(length)


def _blocks(name):
    """(ms, headers) of each message."""
    data = (DATA / f"{name}.ami").read_bytes()
    reads = list(_reads(name))
    at = data.index(b"\r\n") + 2
    number = 0
    while (end := data.find(b"\r\n\r\n", at)) >= 0:
        while number + 1 < len(reads) and reads[number + 1][1] <= end + 3:
            number += 1
        yield int(reads[number][0]), [
            (key.decode(errors="replace"), value.lstrip(b" ").decode(errors="replace"))
            for key, colon, value in (line.partition(b":") for line in data[at:end].split(b"\r\n"))
            if colon]
        at = end + 4


def _event(t, number, headers):
    entry = {"t": t, "n": number}
    for key, value in headers:
        if key == "Event" and key in entry:
            continue
        if key in entry:
            before = entry[key]
            entry[key] = (before if isinstance(before, list) else [before]) + [value]
        else:
            entry[key] = value
    return entry


def entries(name, base_ms):
    """The session's events; what a client lists after it came back is the snapshot."""
    made = []

    def add(t, headers):
        made.append(_event(t, len(made) + 1, headers))

    for number, connection in enumerate(truth(name)["connections"]):
        opened = base_ms + int(connection["opened_ms"])
        if number:
            add(opened, [("Event", "MaydayDown"), ("reason", "cut")])
            add(opened, [("Event", "MaydayUp"), ("version", "22")])
            add(opened, [("Event", "MaydaySnapshotBegin"), ("id", "s1")])
        listed = number == 0
        for ms, headers in _blocks(connection["file"].removesuffix(".ami")):
            if headers and headers[0][0] == "Event":
                add(opened + ms, headers)
                if not listed and headers[0][1] == "CoreShowChannelsComplete":
                    listed = True
                    made.append({"t": opened + ms, "n": len(made) + 1,
                                 "Event": "MaydaySnapshotEnd", "id": "s1", "channels": 0})
    return made


RESULTS = [
    ("answered", "answered"), ("in application", "answered"), ("bridged", "answered"),
    ("up ", "answered"), ("supervisor", "answered"), ("busy", "busy"),
    ("caller's own phone rejected", "busy"), ("rejected with SIP 603", "declined"),
    ("declined", "declined"), ("not answered, caller gave up", "cancelled"),
    ("not answered", "no_answer"), ("caller did not answer", "no_answer"),
    ("callee not registered", "unreachable"), ("503", "failed"), ("abandoned", "abandoned"),
    ("left by timeout", "timeout"),
]


def _party(value):
    text = str(value).removeprefix("queue ")
    return text[1:].partition("%")[0].partition("'")[0] if text.startswith("'") else text


def wanted(name):
    """(from, to, result, talk in ms or None) of each call that the phones saw."""
    for call in truth(name)["calls"]:
        words = call["result"]
        result = next(ours for theirs, ours in RESULTS if words.startswith(theirs))
        if words == "not answered" and call.get("ended_by") == "caller":
            result = "cancelled"
        talk = call.get("talk_s")
        # When a call was answered during a gap is not known.
        talk = talk * 1000 if isinstance(talk, float) and not name.startswith("r1-") else None
        to = _party(call["to"])
        if to.startswith("ChanSpy"):
            to = words.split(" of ")[1][:4]
        if str(call["to"]).startswith("queue"):
            yield _party(call["from"]), to, result, None
            if words.startswith("answered by "):
                yield _party(call["from"]), words.removeprefix("answered by "), result, talk
        else:
            yield _party(call["from"]), to, result, talk


SENT = re.compile(r"(\d+) (?:blind-)?transferred \d+ to|transferred by (\d+) to")


def _sender(calls):
    """Who sent a call on, as the words of some call of the session say."""
    found = [SENT.search(call["result"]) for call in calls]
    return next((match[1] or match[2] for match in found if match), "")


def wanted_transfers(name):
    """(kind, from, customer, to, result, reason) of each transfer that a phone began by itself."""
    calls = truth(name)["calls"]
    first = calls[0] if calls else {}
    for call in calls:
        origin, to, how = _party(call["from"]), _party(call["to"]), call["how"]
        if how in ("blind transfer", "REFER"):
            yield "phone_blind", _sender(calls), origin, to, "completed", ""
        elif how in ("attended transfer", "REFER with Replaces"):
            yield "phone_attended", _sender(calls), origin, to, "completed", ""
        elif how == "consultation" and not _sender(calls):
            reason = call["result"].split(" 4")[0].replace("not answered", "no_answer")
            yield "phone_attended", origin, _party(first["from"]), to, "rolled_back", reason
        elif how.startswith("retrieved from slot"):
            yield "park", _party(first["to"]), origin, to, "completed", ""
        elif how.startswith("park timeout"):
            yield "park", to, origin, PARKING_SPACE.search(first["result"])[1], "rolled_back", \
                "timeout"


PARKING_SPACE = re.compile(r"parked in (\d+)")


def missing(name, segments):
    """Those of wanted() that no segment fits; each segment stands for one."""
    left, lost = list(segments), []
    for origin, to, result, talk in wanted(name):
        for segment in left:
            if (segment["from"], segment["to"], segment["result"]) == (origin, to, result) and (
                    talk is None or abs(segment["talkMs"] - talk) <= TALK_TOLERANCE_MS):
                left.remove(segment)
                break
        else:
            lost.append((origin, to, result, talk))
    return lost
