"""Three Redis and three Sentinels with the files of deploy/redis."""

import pathlib
import subprocess

import redis

from lib.daemon import ROOT
from lib.process import Process, wait_until
from lib.services import SERVICES

DOWN_AFTER_MS = 1000
NAME = "mayday"


def fill(template, **values):
    text = (ROOT / "deploy/redis" / template).read_text()
    for name, value in values.items():
        text = text.replace(f"@{name}@", str(value))
    return text


class Trio:
    def __init__(self, net, folder):
        self.folder = pathlib.Path(folder)
        self._make_passwords()
        self.hosts = [net.address() for _ in range(3)]
        self.servers = {host: self._redis(host) for host in self.hosts}
        for host in self.hosts:
            self.servers[host].spawn()
        for host in self.hosts:
            wait_until(self.client(host).ping, what=host)
        wait_until(lambda: self.client(self.hosts[0]).info("replication")["connected_slaves"] == 2, 30,
                   "replicas")
        self.sentinel_hosts = [net.address() for _ in range(3)]
        self.sentinels = [self._sentinel(host) for host in self.sentinel_hosts]
        for sentinel in self.sentinels:
            sentinel.spawn()
        wait_until(self._agreed, 30, "Sentinels that know each other")

    def _make_passwords(self):
        secrets = self.folder / "secrets"
        secrets.mkdir(parents=True)
        for name in (*SERVICES, "admin", "replica", "sentinel"):
            (secrets / f"redis-{name}").write_text(f"password-of-{name}")
        self.users = subprocess.run([ROOT / "deploy/redis/make-users", secrets], check=True, text=True,
                                    capture_output=True).stdout

    def _redis(self, host):
        folder = self.folder / host
        folder.mkdir()
        (folder / "users.acl").write_text(self.users)
        text = fill("redis.conf", ADDRESS=host, DATA=folder)
        text += fill("replication.conf", ADDRESS=host, REPLICA_PASSWORD="password-of-replica")
        if host != self.hosts[0]:
            text += f"replicaof {self.hosts[0]} 6379\n"
        (folder / "redis.conf").write_text(text)
        return Process("redis-server", ["redis-server", folder / "redis.conf"], folder / "log")

    def _sentinel(self, host):
        folder = self.folder / host
        folder.mkdir()
        (folder / "sentinel.conf").write_text(fill(
            "sentinel.conf", ADDRESS=host, DATA=folder, PRIMARY=self.hosts[0], DOWN_AFTER_MS=DOWN_AFTER_MS,
            SENTINEL_PASSWORD="password-of-sentinel"))
        return Process("redis-sentinel", ["redis-server", folder / "sentinel.conf", "--sentinel"],
                       folder / "log")

    def _agreed(self):
        for host in self.sentinel_hosts:
            state = redis.Redis(host, 26379, decode_responses=True).sentinel_master(NAME)
            if state["num-other-sentinels"] != 2 or state["num-slaves"] != 2:
                return False
        return True

    def client(self, host):
        return redis.Redis(host, 6379, password="password-of-admin", decode_responses=True, socket_timeout=2)

    def primary(self):
        """Its address, as two Sentinels say it and as it says itself; None when there is none."""
        said = [redis.Redis(host, 26379, decode_responses=True).sentinel_get_master_addr_by_name(NAME)[0]
                for host in self.sentinel_hosts]
        for host in set(said):
            if said.count(host) >= 2 and self.servers[host].running() and \
                    self.client(host).role()[0] == "master":
                return host
        return None

    def settings(self, daemon):
        return {"REDIS_SENTINELS": " ".join(f"{host}:26379" for host in self.sentinel_hosts),
                "REDIS_MASTER_NAME": NAME, "REDIS_USERNAME": daemon,
                "REDIS_PASSWORD": f"password-of-{daemon}", "REDIS_HOST": None, "REDIS_PORT": None}

    def close(self):
        for process in (*self.sentinels, *self.servers.values()):
            if process.running():
                process.kill9()
