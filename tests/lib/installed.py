"""Mayday as `make install` lays it out, and as its Debian package does, in a Debian of its own."""

import pathlib
import re
import shutil
import subprocess

from lib.daemon import ROOT
from lib.process import Process, wait_until
from lib.servers import CACHE

BARE = CACHE / "bookworm"


def call(*command, timeout=120, **options):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, timeout=timeout, **options)
    assert done.returncode == 0, f"{command}: {done.stdout[-3000:]}{done.stderr[-3000:]}"
    return done.stdout


def stage(folder):
    """`make install` into a folder, its secrets made; returns the folder."""
    call("make", "-s", "-C", ROOT, "install", f"DESTDIR={folder}")
    call(folder / "usr/lib/mayday/make-secrets", folder / "etc/mayday",
         env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "MAYDAY_SHARE": str(folder / "usr/share/mayday")})
    return folder


def copy_source(folder):
    """What git knows, as it is now."""
    for name in call("git", "-C", ROOT, "ls-files", "-co", "--exclude-standard").splitlines():
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    return folder


def package(folder):
    """dpkg-buildpackage on a copy of what git knows, with the objects that are built already."""
    source = copy_source(folder / "mayday")
    for name in ("obj", "bin"):
        shutil.copytree(ROOT / "build" / name, source / "build" / name)
    call("dpkg-buildpackage", "-us", "-uc", "-b", "-nc", cwd=source, timeout=400)
    return next(folder.glob("mayday_*.deb"))


class Debian:
    """A bare Debian (12) under a layer that can be thrown away. Its mounts live in a namespace that
    goes with this process; what apt-get downloads is kept in the cache."""

    def __init__(self, folder, bare=BARE):
        self.folder = pathlib.Path(folder)
        self.root = self.folder / "root"
        self.machine = None
        downloads = bare.with_name(f"{bare.name}-apt")
        for name in ("upper", "work", "root"):
            (self.folder / name).mkdir()
        for name in ("archives/partial", "lists/partial"):
            (downloads / name).mkdir(parents=True, exist_ok=True)
        self.space = Process("namespace", ["unshare", "-m", "--propagation", "private", "sleep",
                                           "infinity"], self.folder / "space")
        self.space.spawn()
        wait_until(lambda: self._differs(), what="a namespace")
        self.outside("mount", "-t", "overlay", "overlay", "-o",
                     f"lowerdir={bare},upperdir={self.folder / 'upper'},workdir={self.folder / 'work'}",
                     self.root)
        self.outside("mount", "-t", "proc", "proc", self.root / "proc")
        for name, place in (("archives", "cache"), ("lists", "lib")):
            self.outside("mount", "--bind", downloads / name, self.root / "var" / place / "apt" / name)

    def _differs(self):
        own = pathlib.Path("/proc/self/ns/mnt").readlink()
        return pathlib.Path(f"/proc/{self.space.pid}/ns/mnt").readlink() != own

    def _enter(self, *command):
        return ["nsenter", "-t", str(self.space.pid), "-m", "--", *map(str, command)]

    def outside(self, *command, **options):
        return call(*self._enter(*command), **options)

    def inside(self, *command, **options):
        path = "PATH=/usr/sbin:/usr/bin:/sbin:/bin"
        return self.outside("chroot", self.root, "env", path, "DEBIAN_FRONTEND=noninteractive",
                            *command, **options)

    def install(self, *packages):
        words = ["apt-get", "-q", "-y", "--no-install-recommends", "install", *packages]
        try:
            self.inside(*words, timeout=200)
        except AssertionError:  # no lists yet, or old ones
            self.inside("apt-get", "-q", "-o", "Acquire::Check-Valid-Until=false", "update")
            self.inside(*words, timeout=200)

    def can_boot(self):
        words = self._enter("systemd-nspawn", "-q", "-D", self.root, "--register=no", "--keep-unit",
                            "--private-network", "--as-pid2", "true")
        return subprocess.run(words, capture_output=True, timeout=60).returncode == 0

    def boot(self):
        """Its own systemd as process 1, with a network of its own."""
        self.outside("umount", self.root / "proc")
        words = self._enter("systemd-nspawn", "-q", "-D", self.root, "--register=no", "--keep-unit",
                            "--private-network", "--boot", "--console=pipe")
        self.machine = Process("machine", words, self.folder / "machine")
        self.machine.spawn()
        return wait_until(self.leader, 60, "a booted Debian")

    def leader(self):
        """Process 1 of the machine, once its systemd answers."""
        children = pathlib.Path(f"/proc/{self.machine.pid}/task/{self.machine.pid}/children").read_text()
        self.first = int(children.split()[0])
        return "running" in self.ask("systemctl", "is-system-running", check=False) or \
            "degraded" in self.ask("systemctl", "is-system-running", check=False)

    def ask(self, *command, check=True):
        words = ["nsenter", "-t", str(self.first), "-m", "-u", "-i", "-n", "-p", "-r", "-w", *command]
        done = subprocess.run(words, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0 or not check, done.stdout + done.stderr
        return done.stdout

    def properties(self, unit, *names):
        text = self.ask("systemctl", "show", "-p", ",".join(names), unit)
        return dict(re.findall(r"^(\w+)=(.*)$", text, re.M))

    def close(self):
        if self.machine and self.machine.running():
            self.machine.stop(30)
        self.space.stop()
