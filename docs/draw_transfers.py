#!/usr/bin/python3
"""Draws the table of docs/transfers.md from services/transfer-svc/machine.c.

draw_transfers.py          writes it anew
draw_transfers.py --check  1 when it is not what the code says
"""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
CODE = ROOT / "services/transfer-svc/machine.c"
PAGE = ROOT / "docs/transfers.md"
BEGIN, END = "<!-- table: drawn by docs/draw_transfers.py -->\n", "<!-- end of the table -->\n"
ROW = re.compile(r"{STATE_(\w+), (\w+), INPUT_(\w+), STATE_(\w+),\s*EFFECT_(\w+)}")


def rows():
    for state, mode, heard, follows, effect in ROW.findall(CODE.read_text()):
        mode = "" if mode == "EITHER" else mode.removeprefix("MODE_").lower()
        effect = "" if effect == "NONE" else effect.lower()
        yield state.lower(), mode, heard.lower(), follows.lower(), effect


def diagram(table):
    """One arrow for each pair of states, with all that leads over it."""
    arrows = {}
    for state, _, heard, follows, _ in table:
        if heard not in arrows.setdefault((state, follows), []):
            arrows[state, follows].append(heard)
    lines = [f"    {state} --> {follows}: {', '.join(heard)}"
             for (state, follows), heard in arrows.items() if state != follows]
    return ["```mermaid", "stateDiagram-v2", "    [*] --> requested", *lines, "```"]


def drawing():
    table = list(rows())
    assert table, f"no rows in {CODE}"
    lines = ["| in state | mode | on | goes to | does |", "|---|---|---|---|---|"]
    before = None
    for state, mode, heard, follows, effect in table:
        shown = f"**{state}**" if state != before else ""
        lines.append(f"| {shown} | {mode} | {heard} | {follows} | {effect} |")
        before = state
    return "\n".join([*diagram(table), "", *lines]) + "\n"


def main():
    page = PAGE.read_text()
    head, rest = page.split(BEGIN)
    fresh = head + BEGIN + "\n" + drawing() + "\n" + END + rest.split(END)[1]
    if "--check" in sys.argv[1:]:
        return 0 if fresh == page else 1
    PAGE.write_text(fresh)
    return 0


if __name__ == "__main__":
    sys.exit(main())
