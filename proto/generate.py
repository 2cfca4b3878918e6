#!/usr/bin/python3
"""Writes proto/gen/ from the tables and schemas in proto/. `generate.py --check` only compares."""

import argparse
import pathlib
import sys

PROTO = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(PROTO))

from generator import messages, permissions  # noqa: E402


def generated_files():
    files = dict(permissions.files(PROTO / "permissions.json"))
    files.update(messages.files(PROTO / "messages"))
    return files


def stale(folder, files):
    """Names of files that are missing, differ, or should not be there."""
    present = {path.name for path in folder.glob("*")}
    changed = {name for name, text in files.items()
               if name not in present or (folder / name).read_text() != text}
    return sorted(changed | (present - files.keys()))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 when stale")
    arguments = parser.parse_args()
    folder, files = PROTO / "gen", generated_files()
    names = stale(folder, files)
    if arguments.check:
        for name in names:
            print(f"proto/gen/{name} is stale: run make proto")
        return 1 if names else 0
    folder.mkdir(exist_ok=True)
    for name in names:
        path = folder / name
        if name in files:
            path.write_text(files[name])
        else:
            path.unlink()
    return 0


if __name__ == "__main__":
    sys.exit(main())
