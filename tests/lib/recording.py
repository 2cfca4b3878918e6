"""Every message that a test puts on Redis or a WebSocket is held against its schema in
proto/messages/. The names of the schemas that were used go to MAYDAY_SEEN_DIR, so that the end of a
full run can tell which message was never sent."""

import functools
import json
import os
import pathlib
import re
import uuid

import jsonschema

SCHEMAS = pathlib.Path(__file__).resolve().parents[2] / "proto/messages"


@functools.cache
def schemas():
    return {path.name[:-len(".json")]: json.loads(path.read_text())
            for path in sorted(SCHEMAS.glob("*.json"))}


@functools.cache
def validator(name):
    schema = schemas()[name]
    store = {each["$id"]: each for each in schemas().values()}
    resolver = jsonschema.RefResolver(schema["$id"], schema, store=store)
    return jsonschema.Draft202012Validator(schema, resolver=resolver)


def parent(name):
    """The schema that this one is another name of (its $ref), or None."""
    reference = schemas()[name].get("$ref")
    return reference and reference[:-len(".json")]


def kebab(name):
    """MaydaySnapshotBegin -> mayday-snapshot-begin"""
    return "".join(f"-{c.lower()}" if c.isupper() else c for c in name).lstrip("-")


class Recording:
    def __init__(self):
        self.seen, self.faults, self.ignored = set(), [], set()

    def ignore(self, stream):
        """For a test that puts wrong entries there on purpose."""
        self.ignored.add(stream)

    def validate(self, name, message):
        if name not in schemas():
            self.faults.append(f"no schema {name} for {json.dumps(message)[:500]}")
            return
        self.seen |= {name, parent(name)} - {None}
        self.faults += [f"{name}: {error.json_path}: {error.message[:300]}"
                        for error in validator(name).iter_errors(message)]
        if not schemas()[name].get("x-open") and isinstance(message, dict):
            unknown = message.keys() - schemas()[parent(name) or name]["properties"].keys()
            self.faults += [f"{name}: $.{key} is not in the schema" for key in sorted(unknown)]

    def event(self, envelope):
        """The envelope, and its data by the schema of its type."""
        self.validate("event.v1", envelope)
        name = re.sub("[:_]", "-", str(envelope.get("eventType")))
        self.validate(f"{name}.v1", envelope.get("data"))

    def ami_event(self, message):
        name = str(message.get("Event", ""))
        self.validate("ami-event.v1", message)
        if name.startswith("Mayday"):
            self.validate(kebab(name) + ".v1", message)

    def server(self, message):
        """A message from ws-fanout."""
        self.validate(f"ws-{message.get('type')}.v1", message)
        if message.get("type") == "event":
            self.event(message.get("event", {}))

    def client(self, message):
        """A message to ws-fanout. Wrong ones are sent on purpose: only known types are held."""
        name = f"ws-{message.get('type')}.v1"
        if name in schemas() and validator(name).is_valid(message):
            self.seen.add(name)

    def entry(self, key, fields):
        kind = key.split(":")[0]
        if key.startswith("events:ami:"):
            self.ami_event(json.loads(fields["e"]))
        elif kind == "events":
            self.event(json.loads(fields["e"]))
        elif kind == "actions":
            self.validate("ami-action.v1", json.loads(fields["a"]))
        elif kind == "replies":
            self.validate("ami-reply.v1", json.loads(fields["r"]))
        elif kind == "audit":
            self.validate("audit.v1", json.loads(fields["a"]))

    def tap(self, redis):
        """Reads every stream of this Redis."""
        for key in set(redis.scan_iter(_type="stream", count=1000)) - self.ignored:
            for entry_id, fields in redis.xrange(key):
                try:
                    self.entry(key, fields)
                except (KeyError, ValueError, AttributeError) as error:
                    self.faults.append(f"{key} {entry_id}: {error!r} in {fields!r}"[:500])

    def finish(self):
        folder = os.environ.get("MAYDAY_SEEN_DIR")
        if folder:
            (pathlib.Path(folder) / uuid.uuid4().hex).write_text("\n".join(sorted(self.seen)))
        shown = "\n".join(self.faults[:20])
        assert not self.faults, f"{len(self.faults)} wrong messages:\n{shown}"
