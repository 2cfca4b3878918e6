"""The daemons of the version before this one, built once from the history and kept in the cache."""

import fcntl
import shutil
import subprocess

from lib.daemon import ROOT
from lib.servers import CACHE

BUILD_S = 400
# Only their behaviour counts: no optimizer, no symbols; warnings were looked at when it was new.
FLAGS = "CFLAGS=-O0 -g0 -Wno-error"


class NotHere(Exception):
    """It cannot be had on this machine; says why."""


def commit():
    lines = (ROOT / "deploy/previous").read_text().splitlines()
    return next(line for line in lines if line and not line.startswith("#"))


def binaries():
    """The folder that they are in."""
    known = subprocess.run(["git", "-C", ROOT, "cat-file", "-e", f"{commit()}^{{commit}}"],
                           capture_output=True)
    if known.returncode:
        raise NotHere(f"{commit()} is not in the history (a shallow clone?)")
    folder = CACHE / f"previous-{commit()[:12]}"
    CACHE.mkdir(parents=True, exist_ok=True)
    with open(CACHE / "previous.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            for other in CACHE.glob("previous-*"):
                shutil.rmtree(other, ignore_errors=True)
            _build(folder)
    return folder


def _build(folder):
    source = folder.with_suffix(".partial")
    source.mkdir()
    archive = subprocess.Popen(["git", "-C", ROOT, "archive", commit()], stdout=subprocess.PIPE)
    subprocess.run(["tar", "-x", "-C", source], stdin=archive.stdout, check=True)
    done = subprocess.run(["make", "-s", "-j2", "-C", source, "all", FLAGS], capture_output=True, text=True,
                          timeout=BUILD_S)
    assert done.returncode == 0, done.stderr[-3000:]
    (source / "build/bin").rename(folder)
    shutil.rmtree(source)
