"""A Docker engine of our own: started by hand, on a socket in a folder, its images kept in the cache.

It has processes and mounts of its own, which end with it. The machine's packet filter gets one rule, by which
the network of the containers may speak with itself, and only while they run; images are built with the
machine's network. Base
images are not pulled: the cached Debians of the local stack are imported under the names that the
Dockerfiles use.
"""

import fcntl
import hashlib
import io
import os
import pathlib
import shutil
import signal
import subprocess
import tarfile
import tempfile

from lib.daemon import ROOT
from lib.process import Process, wait_until
from lib.servers import CACHE

BASES = {"debian:bookworm-slim": CACHE / "bookworm", "debian:forky-slim": CACHE / "asterisk"}
MONGO = "mayday-test/mongo:latest"
PROBE = "mayday-probe"
LOCK_S = 300
LEFT_OUT = ("./var/lib/apt/lists/", "./var/cache/apt/")
PROGRAMS = ("dockerd", "docker", "docker-compose", "iptables")
OPTIONS = ("--bridge=none", "--iptables=false", "--ip-forward=false", "--ip-masq=false")
ALONE = ("unshare", "--pid", "--fork", "--kill-child", "--mount-proc")


class NotHere(Exception):
    """No engine can run on this machine; says why."""


def _one_at_a_time():
    """Two engines cannot share a folder of images; another run of the tests is waited for."""
    lock = open(CACHE / "docker.lock", "w")
    try:
        wait_until(lambda: fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB) is None, LOCK_S)
    except AssertionError:
        raise NotHere("another run of the tests has the engine") from None
    return lock


class Engine:
    def __init__(self, folder):
        missing = [name for name in PROGRAMS if not shutil.which(name)]
        if missing or os.geteuid() != 0:
            raise NotHere(f"not root, or not installed: {', '.join(missing)}")
        if not all(path.is_dir() for path in BASES.values()):
            raise NotHere("no Debian to import in the cache")
        self.folder = pathlib.Path(folder)
        self.socket = self.folder / "socket"
        self.environment = {**os.environ, "DOCKER_HOST": f"unix://{self.socket}", "DOCKER_BUILDKIT": "0",
                            "COMPOSE_DOCKER_CLI_BUILD": "0", "DOCKER_CONFIG": str(self.folder / "config")}
        self.lock = _one_at_a_time()
        self.process = Process("dockerd", [
            *ALONE, "dockerd", "--data-root", CACHE / "docker", "--exec-root", self.folder / "exec",
            "--pidfile", self.folder / "pid", "--host", f"unix://{self.socket}", *OPTIONS],
            self.folder / "engine")
        self.process.spawn()
        try:
            self.process.wait_ready(lambda: self.docker("version"), 40)
        except AssertionError as error:
            self.close()
            raise NotHere(str(error)[-600:]) from None

    def run(self, *words, timeout=120, check=True, env=None):
        done = subprocess.run([str(word) for word in words], cwd=ROOT,
                              env={**self.environment, **(env or {})}, text=True, capture_output=True,
                              timeout=timeout, stdin=subprocess.DEVNULL)
        assert done.returncode == 0 or not check, \
            f"{' '.join(map(str, words))}: {done.stdout[-2500:]}{done.stderr[-2500:]}"
        return done

    def docker(self, *words, **options):
        return self.run("docker", *words, **options).stdout

    def size(self, image):
        return int(self.docker("image", "inspect", "-f", "{{.Size}}", image))

    def has(self, image):
        return self.run("docker", "image", "inspect", image, check=False).returncode == 0

    def import_bases(self):
        for name, tree in BASES.items():
            if not self.has(name):
                self._import(tree, name)
        if not self.has(MONGO):
            self._import_mongo()
        self._try()

    def _try(self):
        """An engine that answers may still be unable to run anything: in a container without rights, say."""
        self.run("docker", "network", "rm", PROBE, check=False)
        for words in (["network", "create", "--subnet", "172.30.78.0/29", PROBE],
                      ["run", "--rm", "--network", PROBE, next(iter(BASES)), "true"],
                      ["network", "rm", PROBE]):
            done = self.run("docker", *words, check=False)
            if done.returncode:
                raise NotHere(done.stderr[-400:])

    def _import(self, tree, name, *changes):
        options = [word for change in changes for word in ("--change", change)]
        importer = subprocess.Popen(["docker", "import", *options, "-", name], env=self.environment,
                                    stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
        with tarfile.open(fileobj=importer.stdin, mode="w|") as tar:
            self._add_apt_rules(tar)
            tar.add(tree, ".", filter=lambda info: None if info.name.startswith(LEFT_OUT) and info.isfile()
                    else info)
        importer.stdin.close()
        assert importer.wait(300) == 0, name

    @staticmethod
    def _add_apt_rules(tar):
        """Mirrors are taken as this machine is told to take them."""
        rules = subprocess.run(["apt-config", "dump", "Acquire::Check-Valid-Until", "Acquire::Check-Date"],
                               capture_output=True).stdout
        info = tarfile.TarInfo("./etc/apt/apt.conf.d/99as-the-machine")
        info.size = len(rules)
        tar.addfile(info, io.BytesIO(rules))

    def _import_mongo(self):
        """What stands for MongoDB here: the FerretDB of the local stack, on nothing at all."""
        folder = f"{ROOT}/deploy/local/lib"
        script = f". {folder}/common.sh; . {folder}/mongo_server.sh; echo $FERRETDB"
        binary = subprocess.run(["bash", "-c", script], capture_output=True, text=True,
                                check=True).stdout.strip()
        if not pathlib.Path(binary).exists():
            raise NotHere("no FerretDB in the cache")
        with tempfile.TemporaryDirectory(dir=self.folder) as tree:
            pathlib.Path(tree, "tmp").mkdir()
            shutil.copy2(binary, pathlib.Path(tree, "ferretdb"))
            command = ('CMD ["/ferretdb","--handler=sqlite","--sqlite-url=file:/data/db/",'
                       '"--state-dir=/data/db","--listen-addr=0.0.0.0:27017","--debug-addr=-",'
                       '"--telemetry=disable"]')
            self._import(tree, MONGO, command)

    def files(self, image):
        """Path -> what there is: the hash of a file, where a link leads, the mode of both."""
        found, container = {}, self.docker("create", "--network", "none", image, "true").strip()
        export = subprocess.Popen(["docker", "export", container], env=self.environment,
                                  stdout=subprocess.PIPE)
        with tarfile.open(fileobj=export.stdout, mode="r|") as tar:
            for info in tar:
                data = info.linkname
                if info.isfile():
                    data = hashlib.sha256(tar.extractfile(info).read()).hexdigest()
                found[info.name] = (oct(info.mode), info.uid, info.gid, data)
        export.wait(60)
        self.docker("rm", container)
        return found

    def _child(self):
        """The engine itself: the process that was started only waits for it."""
        pid = self.process.pid
        return pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0]

    def kill9(self, pid):
        """A process of a container, by the number that the engine knows it by."""
        subprocess.run(["nsenter", "-t", self._child(), "-p", "-m", "kill", "-9", str(pid)], check=True)

    def close(self):
        if self.process.running():
            os.kill(int(self._child()), signal.SIGTERM)
            try:
                self.process.process.wait(60)
            except subprocess.TimeoutExpired:
                self.process.kill9()
        self.lock.close()


class Compose:
    """docker-compose.yml as a project of its own."""

    def __init__(self, engine, name, **settings):
        self.engine, self.name = engine, name
        network = f"{settings['MAYDAY_NET']}.0/24"
        self.rule = ["FORWARD", "-s", network, "-d", network, "-j", "ACCEPT"]
        self.settings = {"MAYDAY_MONGO_IMAGE": MONGO, **settings}

    def call(self, *words, **options):
        return self.engine.run("docker-compose", "-p", self.name, *words, env=self.settings, **options)

    def up(self, timeout):
        """Another engine of the machine's may have forbidden what is not its own."""
        self.engine.run("iptables", "-w", "-I", *self.rule)
        done = self.call("up", "-d", "--no-build", timeout=timeout, check=False)
        if done.returncode:
            logs = self.call("logs", "--no-color", "--tail", "12", check=False).stdout
            raise AssertionError(done.stderr[-1500:] + logs[-6000:])

    def down(self):
        self.call("--profile", "demo", "down", "-v", "-t", "2", timeout=120, check=False)
        while self.engine.run("iptables", "-w", "-D", *self.rule, check=False).returncode == 0:
            pass  # one of a run that was killed, too

    def container(self, service):
        return self.call("ps", "-q", service).stdout.strip()

    def inspect(self, service, template):
        return self.engine.docker("inspect", "-f", template, self.container(service)).strip()

    def wait_healthy(self, service, seconds=60):
        wait_until(lambda: self.inspect(service, "{{.State.Health.Status}}") == "healthy", seconds, service)
