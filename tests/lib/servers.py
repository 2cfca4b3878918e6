"""The real servers that the daemons need: Redis, MariaDB, nginx; each on an address of its own."""

import fcntl
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile

import pymongo
import pymysql
import redis
import requests

from lib.process import Process

ROOT = pathlib.Path(__file__).resolve().parents[2]
CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "mayday"
PASSWORD = "test-password"
USERS = [*(path.parent.name for path in ROOT.glob("services/*/main.c")), "replica", "sentinel"]


class Redis(Process):
    """As in production: append-only file, noeviction, a user for each daemon (deploy/redis/make-users).
    The data survives kill9 + start."""

    port = 6379

    def __init__(self, net, directory):
        self.host, directory = net.address(), pathlib.Path(directory)
        super().__init__("redis-server", [
            "redis-server", "--bind", self.host, "--port", self.port, "--dir", directory,
            "--aclfile", directory / "users.acl", "--appendonly", "yes", "--appendfsync", "everysec",
            "--save", "", "--maxmemory-policy", "noeviction"], directory)
        self.client = redis.Redis(self.host, self.port, password=PASSWORD, decode_responses=True)
        (directory / "users.acl").write_text(self._users())

    def start(self):
        self.spawn()
        self.wait_ready(self.client.ping)
        return self

    @property
    def settings(self):
        """Of the user who may do everything."""
        return {"REDIS_HOST": self.host, "REDIS_PORT": str(self.port), "REDIS_PASSWORD": PASSWORD}

    def settings_of(self, daemon):
        """Of the user that this daemon is."""
        if daemon not in USERS:
            return self.settings
        return {**self.settings, "REDIS_USERNAME": daemon, "REDIS_PASSWORD": f"of-{daemon}"}

    def _users(self):
        folder = self.directory / "users"
        folder.mkdir(exist_ok=True)
        for name in USERS:
            (folder / f"redis-{name}").write_text(f"of-{name}")
        (folder / "redis-admin").write_text(PASSWORD)
        return subprocess.run([ROOT / "deploy/redis/make-users", folder], check=True, text=True,
                              capture_output=True).stdout


def refusals(client):
    """What Redis' users asked for and may not, in words; forgets them."""
    faults = {f"{each['username']} may not {each['object']} ({each['reason']}): "
              "deploy/redis/make-users gives rights"
              for each in client.acl_log() if each["reason"] in ("command", "key", "channel")}
    client.acl_log_reset()
    return sorted(faults)


def _mariadb_template():
    """A data directory as mariadb-install-db leaves it, made once per version and then copied."""
    version = subprocess.run(["mariadbd", "--version"], capture_output=True, text=True, check=True)
    name = version.stdout.split("Ver ")[1].split()[0]
    template = CACHE / f"mariadb-datadir-{name}"
    CACHE.mkdir(parents=True, exist_ok=True)
    with open(CACHE / "mariadb-datadir.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two of them at once trip over each other's temporary tables
        if not template.exists():
            _make_mariadb_template(template)
    return template


def _make_mariadb_template(template):
    with tempfile.TemporaryDirectory(dir=CACHE) as made:
        datadir = pathlib.Path(made) / "data"
        subprocess.run([
            "mariadb-install-db", "--no-defaults", f"--datadir={datadir}", "--user=root",
            "--auth-root-authentication-method=normal", "--skip-test-db", "--skip-name-resolve",
            "--innodb-log-file-size=8M"], check=True, capture_output=True)
        datadir.rename(template)


class MariaDb(Process):
    port = 3306

    def __init__(self, net, directory):
        self.host = net.address()
        self.datadir = pathlib.Path(directory) / "data"
        super().__init__("mariadbd", [
            "mariadbd", "--no-defaults", "--user=root", f"--datadir={self.datadir}",
            f"--bind-address={self.host}", f"--port={self.port}",
            f"--socket={directory}/socket", f"--pid-file={directory}/pid",
            "--skip-name-resolve", "--skip-log-bin", "--performance-schema=off",
            "--innodb-log-file-size=8M", "--innodb-buffer-pool-size=32M",
            "--innodb-flush-log-at-trx-commit=0", "--innodb-doublewrite=0",
            "--character-set-server=utf8mb4"], directory)

    def start(self):
        if not self.datadir.exists():
            shutil.copytree(_mariadb_template(), self.datadir)
            self._start_and_wait("root")
            self._allow_tcp()
        else:
            self._start_and_wait("mayday")
        return self

    def _start_and_wait(self, user):
        self.spawn()
        self.wait_ready(lambda: self._connect(user).close() or True, 30)

    def _connect(self, user="mayday", **options):
        if user == "root":
            return pymysql.connect(unix_socket=str(self.directory / "socket"), user="root")
        return pymysql.connect(host=self.host, port=self.port, user=user, password=PASSWORD,
                               autocommit=True, charset="utf8mb4", **options)

    def _allow_tcp(self):
        with self._connect("root") as root, root.cursor() as cursor:
            cursor.execute("CREATE USER mayday@'127.%%' IDENTIFIED BY %s", PASSWORD)
            cursor.execute("GRANT ALL ON *.* TO mayday@'127.%'")

    def recreate(self, name="mayday"):
        """An empty database of that name."""
        with self._connect() as connection, connection.cursor() as cursor:
            cursor.execute(f"DROP DATABASE IF EXISTS `{name}`")
            cursor.execute(f"CREATE DATABASE `{name}`")

    def query(self, sql, *values, name="mayday"):
        """Rows as dicts."""
        with self._connect(database=name) as connection:
            with connection.cursor(pymysql.cursors.DictCursor) as cursor:
                cursor.execute(sql, values)
                return list(cursor.fetchall())

    @property
    def settings(self):
        return {"DB_HOST": self.host, "DB_PORT": str(self.port), "DB_USER": "mayday",
                "DB_PASSWORD": PASSWORD, "DB_NAME": "mayday"}


class Mongo(Process):
    """mongod where there is one, else FerretDB with SQLite, as in the local stack."""

    port = 27017

    def __init__(self, net, directory):
        self.host = net.address()
        data = pathlib.Path(directory) / "data"
        data.mkdir(parents=True, exist_ok=True)
        address = f"{self.host}:{self.port}"
        if shutil.which("mongod"):
            command = ["mongod", "--bind_ip", self.host, "--port", self.port, "--dbpath", data,
                       "--quiet"]
        else:
            command = [CACHE / "ferretdb-2", "--handler=sqlite", f"--sqlite-url=file:{data}/",
                       f"--state-dir={directory}", f"--listen-addr={address}", "--debug-addr=-",
                       "--telemetry=disable", "--log-level=error"]
        super().__init__("mongo", command, directory)
        self.uri = f"mongodb://{address}/"
        self.client = pymongo.MongoClient(self.uri, serverSelectionTimeoutMS=2000, connect=False)

    @property
    def database(self):
        return self.client["mayday"]

    def start(self):
        self.spawn()
        self.wait_ready(lambda: self.client.admin.command("ping"), 30)
        return self

    def clear(self):
        """No document in any collection; indexes may stay."""
        self.client.drop_database("mayday")

    @property
    def settings(self):
        return {"MONGODB_URI": self.uri, "MONGODB_DATABASE": "mayday"}


class Nginx(Process):
    """server: the text inside the server block; {listen} in it becomes the address and port. http: what
    stands before it."""

    port = 8004

    def __init__(self, net, directory, server, http=""):
        self.host, self.http = net.address(), http
        directory = pathlib.Path(directory)
        self.config = directory / "nginx.conf"
        super().__init__("nginx", ["nginx", "-c", self.config, "-p", directory], directory)
        self.write(server)

    @property
    def url(self):
        return f"http://{self.host}:{self.port}"

    def write(self, server):
        self.config.write_text(
            "daemon off; user root; worker_processes 1; pid pid; error_log stderr;\n"
            "events { worker_connections 1024; }\n"
            "http {\n\taccess_log off;\n"
            + "".join(f"\t{kind}_temp_path {kind};\n"
                      for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
            + self.http + "\tserver {\n" + server.replace("{listen}", f"{self.host}:{self.port}")
            + "\n\t}\n}\n")

    def start(self):
        self.spawn()
        self.wait_ready(lambda: requests.get(self.url, timeout=2) is not None)
        return self

    def reload(self):
        self.signal(signal.SIGHUP)
