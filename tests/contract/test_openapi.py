"""proto/openapi.yaml against the daemons' own route tables (`<daemon> --routes`)."""

import json
import re
import subprocess

import pytest

from lib import openapi
from lib.daemon import BIN, ROOT
from lib.services import SERVICES

PERMISSIONS = json.loads((ROOT / "proto/permissions.json").read_text())["permissions"]


def documented(service):
    """(method, path) -> (permission, flags) of what the document says that a daemon serves."""
    return {(method, path): (operation["x-permission"], set(operation.get("x-flags", ())))
            for method, path, operation in openapi.operations()
            if service in operation["tags"] and "x-listener" not in operation}


def served(service):
    lines = subprocess.run([BIN / service, "--routes"], capture_output=True, text=True, check=True,
                           timeout=20, env=openapi.MINIMAL_SETTINGS).stdout.splitlines()
    rows = [line.split("\t") for line in lines]
    return {(method, path): (permission, set(filter(None, flags.split(","))))
            for method, path, permission, flags in rows}


@pytest.mark.parametrize("service", SERVICES)
def test_a_daemon_serves_what_the_document_says(service):
    assert served(service) == documented(service)


def test_every_operation_is_described_in_full():
    ids = set()
    for method, path, operation in openapi.operations():
        where = f"{method} {path}"
        assert operation["operationId"] not in ids, where
        ids.add(operation["operationId"])
        assert operation["summary"] and set(operation["tags"]) <= set(SERVICES), where
        permission = operation["x-permission"]
        assert permission in ("public", "session") or permission in PERMISSIONS, where
        assert (operation.get("security") == []) == (permission == "public"), where
        body = operation.get("requestBody", {}).get("content", {})
        assert ("application/json" in body) == ("json_body" in operation.get("x-flags", ())), where
        named = {openapi.resolve(each)["name"] for each in operation.get("parameters", ())
                 if openapi.resolve(each)["in"] == "path"}
        assert named == set(re.findall(r"{(\w+)}", path)), where


def test_every_reference_leads_somewhere():
    for reference in openapi.references():
        openapi.resolve({"$ref": reference})


def test_every_schema_is_well_formed():
    for name, schema in openapi.document()["components"]["schemas"].items():
        openapi.check_schema(name, schema)


def test_nothing_is_defined_in_vain():
    used = set(openapi.references())
    defined = {f"#/components/{kind}/{name}"
               for kind, each in openapi.document()["components"].items() for name in each
               if kind != "securitySchemes"}
    assert defined - used == set()
