"""The schemas in proto/messages/ and what is generated from them."""

import json
import subprocess

import jsonschema
import pytest

from lib import recording
from lib.daemon import ROOT

NAMES = sorted(path.name[:-len(".json")] for path in recording.SCHEMAS.glob("*.json"))


def test_generated_files_are_fresh():
    check = subprocess.run([ROOT / "proto/generate.py", "--check"], capture_output=True, text=True)
    assert check.returncode == 0, check.stdout + check.stderr


@pytest.mark.parametrize("name", NAMES)
def test_schema_is_well_formed(name):
    schema = json.loads((recording.SCHEMAS / f"{name}.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    assert name.endswith(".v1"), "a name ends in its version"
    assert schema["$id"] == f"https://mayday.invalid/messages/{name}.json"
    assert schema["description"]
    schema = recording.schemas()[recording.parent(name) or name]
    assert schema["type"] == "object"
    assert set(schema["required"]) <= schema["properties"].keys()


def test_the_recording_tells_right_from_wrong():
    right = {"v": 1, "eventType": "call:ringing", "timestamp": 1, "redisKey": "call:1",
             "data": {"state": "ringing"}}
    for wrong in ({"v": 2}, {"timestamp": "1"}, {"eventType": "ringing"},
                  {"data": {}}, {"data": {"state": "ringing", "typo": 1}}):
        record = recording.Recording()
        record.event(right)
        assert not record.faults
        record.event(right | wrong)
        assert record.faults, wrong
