"""Folders for servers' data, in memory where there is room.

Redis puts off its writes for up to 2 s while an fsync of its file lasts, so on a slow disk a kill
would lose what it had accepted: that is Redis', not ours, and here no fsync lasts.
"""

import pathlib
import shutil
import tempfile

MEMORY = pathlib.Path("/dev/shm")
ENOUGH = 2 * 1024**3


def directory(name):
    """A new folder; remove it with remove()."""
    roomy = MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ENOUGH
    return pathlib.Path(tempfile.mkdtemp(prefix=f"mayday-{name}-", dir=MEMORY if roomy else None))


def remove(path):
    shutil.rmtree(path, ignore_errors=True)
