#!/usr/bin/python3
"""Fails when a schema in proto/messages/ was never used in a run, by the recordings that it left.

    tests/lib/seen.py build/results/seen
"""

import pathlib
import sys

MESSAGES = pathlib.Path(__file__).resolve().parents[2] / "proto/messages"


def main():
    schemas = {path.name[:-len(".json")] for path in MESSAGES.glob("*.json")}
    seen = set()
    for path in pathlib.Path(sys.argv[1]).iterdir():
        seen.update(path.read_text().split())
    never = sorted(schemas - seen)
    for name in never:
        print(f"proto/messages/{name}.json: no test ever saw such a message")
    print(f"{len(schemas) - len(never)} passed, {len(never)} failed")
    return 1 if never else 0


if __name__ == "__main__":
    sys.exit(main())
