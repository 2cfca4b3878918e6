"""proto/openapi.yaml as tests use it: its operations, and whether an answer fits."""

import functools
import json
import re

import jsonschema
import yaml

from lib import tokens
from lib.daemon import ROOT

METHODS = ("get", "put", "post", "delete", "patch")
# What every daemon starts with when nothing but its routes is asked for.
MINIMAL_SETTINGS = {"HTTP_LISTEN": "127.0.0.1:0", "WS_LISTEN": "127.0.0.1:0",
                    "REDIS_HOST": "127.0.0.1", "AMI_HOST": "127.0.0.1", "AMI_USERNAME": "user",
                    "AMI_SECRET": "secret", "DB_HOST": "127.0.0.1", "DB_USER": "user",
                    "DB_PASSWORD": "password", "DB_NAME": "mayday",
                    "MONGODB_URI": "mongodb://127.0.0.1:27017/", **tokens.SETTINGS}


class _Loader(yaml.SafeLoader):
    """A key that is there twice is a fault: YAML would keep the last one and say nothing."""

    def construct_mapping(self, node, deep=False):
        keys = [self.construct_object(key) for key, _ in node.value]
        assert len(keys) == len(set(keys)), f"a key is there twice: {node.start_mark}: {keys}"
        return super().construct_mapping(node, deep)


@functools.cache
def document():
    return yaml.load((ROOT / "proto/openapi.yaml").read_text(), _Loader)


def resolve(node):
    """The node that a {"$ref": "#/..."} stands for; any other node as it is."""
    while "$ref" in node:
        target = document()
        for step in node["$ref"].removeprefix("#/").split("/"):
            target = target[step]
        node = target
    return node


def references(node=None):
    node = document() if node is None else node
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        node = list(node.values())
    if isinstance(node, list):
        for each in node:
            yield from references(each)


def operations():
    """(method, path, operation) of all, parameters of the path joined in."""
    for path, item in document()["paths"].items():
        for method in METHODS:
            if method in item:
                parameters = item.get("parameters", []) + item[method].get("parameters", [])
                yield method.upper(), path, {**item[method], "parameters": parameters}


def check_schema(name, schema):
    try:
        jsonschema.Draft202012Validator.check_schema(schema)
    except jsonschema.SchemaError as error:
        raise AssertionError(f"{name}: {error.message}") from None


@functools.cache
def _patterns():
    return [(re.compile(re.sub(r"{\w+}", "[^/]+", path) + "$"), method, operation)
            for method, path, operation in operations()]


def check_answer(method, path, response):
    """Fails when the answer of a documented operation is not one that the document allows."""
    path = path.split("?")[0]
    found = [operation for pattern, known, operation in _patterns()
             if known == method and pattern.match(path)]
    if not found:
        return
    where = f"{method} {path} -> {response.status_code}"
    allowed = found[0]["responses"]
    key = str(response.status_code)
    answer = allowed.get(key) or allowed.get(f"{key[0]}XX")
    assert answer, f"{where}: only {', '.join(allowed)} are documented: {response.text[:500]}"
    content = resolve(answer).get("content", {}).get("application/json")
    if content:
        schema = {"components": document()["components"], **content["schema"]}
        fits = jsonschema.Draft202012Validator(schema)
        errors = list(fits.iter_errors(json.loads(response.text)))
        assert not errors, f"{where}: {errors[0].json_path}: {errors[0].message[:500]}"
