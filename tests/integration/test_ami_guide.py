"""The examples of docs/ami-call-lifecycle.md are recorded sessions, and what call-lifecycle makes of
them now. MAYDAY_REDRAW=yes writes them again."""

import json
import os
import re

import pytest

from lib import transcripts
from lib.daemon import ROOT
from lib.process import wait_until

GUIDE = ROOT / "docs/ami-call-lifecycle.md"
BASE_MS = 1_790_000_000_000
BLOCK = re.compile(r"```text\n# ([\w.-]+)\n(.*?)```", re.S)
NAMES = [match[1] for match in BLOCK.finditer(GUIDE.read_text())]
WIDTH = 64  # of Asterisk's half

# The events that make a call's life, and what of each is shown
SHOWN = {
    "Newchannel": "{Channel} {ChannelStateDesc}, Linkedid {Linkedid}",
    "Newstate": "{Channel} {ChannelStateDesc}",
    "DialBegin": "{Channel} -> {DestChannel}", "DialEnd": "{DestChannel} {DialStatus}",
    "BridgeEnter": "{Channel} in {BridgeUniqueid}", "BridgeLeave": "{Channel} out of {BridgeUniqueid}",
    "Hold": "{Channel}", "Unhold": "{Channel}", "Hangup": "{Channel} {Cause} {Cause-txt}",
    "QueueCallerJoin": "{Channel} {Queue}, place {Position}", "QueueCallerLeave": "{Channel} {Queue}",
    "QueueCallerAbandon": "{Channel} {Queue} after {HoldTime} s", "AgentCalled": "{DestChannel} {Queue}",
    "AgentConnect": "{DestChannel} {Queue} after {HoldTime} s",
    "AgentComplete": "{DestChannel} {Queue} {Reason}",
    "AgentRingNoAnswer": "{DestChannel} {Queue}", "ParkedCall": "{ParkeeChannel} in {ParkingSpace}",
    "UnParkedCall": "{ParkeeChannel} by {RetrieverChannel}",
    "BlindTransfer": "{TransfererChannel} to {Extension}",
    "AttendedTransfer": "{OrigTransfererChannel} {DestType}",
    "LocalBridge": "{LocalOneChannel} = {LocalTwoChannel}",
    "LocalOptimizationEnd": "{LocalOneChannel}", "MaydayDown": "{reason}", "MaydayUp": "",
    "MaydaySnapshotBegin": "",
    "CoreShowChannel": "{Channel} {ChannelStateDesc}", "MaydaySnapshotEnd": "",
}


class Blank(dict):
    """What Asterisk did not say is shown as such; of a repeated header the last one counts."""

    def __missing__(self, key):
        return "?"

    def __getitem__(self, key):
        value = super().__getitem__(key)
        return value[-1] if isinstance(value, list) else value


def short(text):
    """Channels without what all have in common, bridges by their first letters."""
    text = re.sub(r"Local/(\w+)@[\w-]+(;[12])", r"Local/\1\2", text.replace("PJSIP/", ""))
    text = re.sub(r"-0{4,7}([0-9a-f]+)", r"-\1", text)
    return re.sub(r"\b([0-9a-f]{4})[0-9a-f]{4}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", r"\1", text)


def heard(entries):
    for entry in entries:
        template = SHOWN.get(entry["Event"])
        if template is not None:
            text = short(template.format_map(Blank(entry)))
            yield entry["t"], f"{entry['Event']:<20} {text}".rstrip()


def told(redis):
    for _, fields in redis.xrange("events:call"):
        event = json.loads(fields["e"])
        data = event["data"]
        words = [str(data[key]) for key in ("result", "reason", "heldBy", "queue", "space", "to")
                 if data.get(key)]
        yield event["timestamp"], " ".join([event["eventType"], event.get("extension", ""), *words]).strip()


def story(name, redis):
    """Line by line: when, what Asterisk said, and what became of it at that time."""
    said, became = list(heard(transcripts.entries(name, BASE_MS))), list(told(redis))
    lines = []
    for index, (at, text) in enumerate(said):
        later = said[index + 1][0] if index + 1 < len(said) else None
        ours = []
        while became and (later is None or became[0][0] < later):
            ours.append(became.pop(0)[1])
        for left, right in zip([text] + [""] * len(ours), ours or [""]):
            moment = f"{at - BASE_MS:>6}" if left else " " * 6
            lines.append(f"{moment}  {left[:WIDTH]:<{WIDTH}}  {right}".rstrip())
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("name", NAMES)
def test_an_example_is_what_happens(redis, daemon, name):
    pipe = redis.pipeline(transaction=False)
    for entry in transcripts.entries(name, BASE_MS):
        pipe.xadd("events:ami:main", {"e": json.dumps(entry, ensure_ascii=False)})
    pipe.execute()
    daemon("call-lifecycle")
    last = redis.xinfo_stream("events:ami:main")["last-generated-id"]
    wait_until(lambda: redis.hget("lifecycle:main", "appliedId") == last, 30, "all entries applied")
    made, text = story(name, redis), GUIDE.read_text()
    if os.environ.get("MAYDAY_REDRAW") == "yes":
        GUIDE.write_text(BLOCK.sub(lambda match: match[0] if match[1] != name else
                                   f"```text\n# {name}\n{made}```", text))
    else:
        assert dict(BLOCK.findall(text))[name] == made, "MAYDAY_REDRAW=yes writes it again"


def test_every_event_of_ours_is_in_the_guide():
    text = GUIDE.read_text()
    kinds = {path.name.split(".")[0].replace("-", ":", 1)
             for path in (ROOT / "proto/messages").glob("call-*.json")}
    missing = {kind for kind in kinds if f"`{kind}`" not in text}
    assert not missing
