#!/usr/bin/python3
"""How long the files and functions are, and which are too long: sizes.py file.c file.h ...

Faults: a function of more than 80 lines, a file of more than 800. Generated files are not counted.
"""

import re
import statistics
import sys

FUNCTION_MAX, FILE_MAX, FILE_WARNING = 80, 800, 500


def functions(lines):
    """(name, length) of each body that begins with a brace in the first column."""
    start = None
    for number, line in enumerate(lines):
        if line == "{":
            start = number
        elif line == "}" and start is not None:
            head = " ".join(lines[max(0, start - 4):start])
            names = re.findall(r"(\w+)\(", head)
            yield (names[-1] if names else "?"), number - start + 1
            start = None


def main():
    sizes, lengths, faults = [], [], []
    for path in sys.argv[1:]:
        if path.startswith("proto/gen/"):
            continue
        lines = open(path).read().splitlines()
        if path.endswith(".c"):
            sizes.append(len(lines))
        if len(lines) > FILE_WARNING:
            print(f"{path}: {len(lines)} lines")
        if len(lines) > FILE_MAX:
            faults.append(f"{path}: {len(lines)} lines, at most {FILE_MAX}")
        for name, length in functions(lines):
            lengths.append(length)
            if length > FUNCTION_MAX:
                faults.append(f"{path}: {name}() has {length} lines, at most {FUNCTION_MAX}")
    lengths.sort()
    print(f"{len(sizes)} .c files: median {statistics.median(sizes):.0f} lines, max {max(sizes)}")
    print(f"{len(lengths)} functions: median {statistics.median(lengths):.0f} lines, "
          f"p90 {lengths[int(len(lengths) * 0.9)]}, max {lengths[-1]}")
    print("\n".join(faults), end="\n" if faults else "")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
