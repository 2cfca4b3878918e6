"""The Debian package, installed into an empty Debian 12 whose own systemd then runs the daemons."""

import os

import pytest

from lib import installed
from lib.process import wait_until
from lib.services import SERVICES


@pytest.fixture(scope="module")
def debian(tmp_path_factory):
    if os.geteuid() != 0 or not installed.BARE.is_dir():
        pytest.skip("NOT DONE: no bare Debian 12 in the cache (deploy/local/setup test, as root)")
    folder = tmp_path_factory.mktemp("package")
    package = installed.package(folder / "build")
    debian = installed.Debian(folder)
    try:
        debian.outside("cp", package, debian.root / "mayday.deb")
        debian.install("systemd", "dbus", "redis-server", "/mayday.deb")
        yield debian
    finally:
        debian.close()


@pytest.fixture(scope="module")
def booted(debian):
    if not debian.can_boot():
        pytest.skip("NOT DONE: systemd-nspawn cannot run here; the package was installed, not started")
    debian.boot()
    return debian


def test_it_installs_with_what_it_needs(debian):
    assert "install ok installed" in debian.inside("dpkg-query", "-W", "-f", "${Status}", "mayday")
    for name in SERVICES:
        assert name in debian.inside(f"/usr/sbin/mayday-{name}", "--version")


def test_its_files_are_as_packed(debian):
    assert debian.inside("dpkg", "--verify", "mayday") == ""


def test_the_daemons_start_and_stay(booted):
    for name in SERVICES:
        unit = f"mayday-{name}"
        wait_until(lambda: booted.properties(unit, "ActiveState")["ActiveState"] == "active", 30, unit)
        assert booted.properties(unit, "NRestarts", "StatusErrno")["NRestarts"] == "0"


def test_each_runs_as_a_user_of_its_own_that_is_not_root(booted):
    users = {}
    for name in SERVICES:
        pid = int(booted.properties(f"mayday-{name}", "MainPID")["MainPID"])
        status = dict(line.split(":\t", 1) for line in
                      booted.ask("cat", f"/proc/{pid}/status").splitlines() if ":\t" in line)
        users[name] = status["Uid"].split()[0]
        assert status["NoNewPrivs"] == "1" and int(status["CapEff"], 16) == 0
        assert status["Seccomp"] == "2"
    assert "0" not in users.values() and len(set(users.values())) == len(users)


def test_redis_takes_the_list_of_users_and_daemons_get_in(booted):
    """As docs/deploy.md says it, with Debian's own Redis."""
    booted.ask("sh", "-c", "echo 'aclfile /etc/mayday/redis/users.acl' >>/etc/redis/redis.conf")
    booted.ask("/usr/lib/mayday/make-secrets")
    booted.ask("systemctl", "restart", "redis-server")
    question = ("exec 3<>/dev/tcp/127.0.0.1/8104; "
                r"printf 'GET /readyz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n' >&3; head -1 <&3")
    wait_until(lambda: " 200 " in booted.ask("bash", "-c", question), 30, "ws-fanout is ready")
    password = booted.ask("cat", "/etc/mayday/secrets/redis-admin")
    log = booted.ask("env", f"REDISCLI_AUTH={password}", "redis-cli", "acl", "log")
    assert not log.strip(), log


def test_an_upgrade_leaves_the_daemons_running(booted):
    before = {name: booted.properties(f"mayday-{name}", "MainPID") for name in SERVICES}
    booted.ask("dpkg", "-i", "/mayday.deb")
    assert {name: booted.properties(f"mayday-{name}", "MainPID") for name in SERVICES} == before
    booted.ask("systemctl", "restart", "mayday-transfer-svc")
    wait_until(lambda: booted.properties("mayday-transfer-svc", "ActiveState")["ActiveState"] == "active", 30)


def test_signs_of_life_reach_systemd(booted):
    first = booted.properties("mayday-auth-svc", "WatchdogTimestampMonotonic")
    assert first["WatchdogTimestampMonotonic"] != "0"
    wait_until(lambda: booted.properties("mayday-auth-svc", "WatchdogTimestampMonotonic") != first, 30,
               "another sign of life")


def test_a_daemon_that_hangs_is_started_again(booted):
    folder = "/run/systemd/system/mayday-ws-fanout.service.d"
    booted.ask("sh", "-c", f"mkdir -p {folder} && "
               f"printf '[Service]\\nWatchdogSec=2s\\nTimeoutAbortSec=1s\\n' >{folder}/quick.conf && "
               "systemctl daemon-reload && systemctl restart mayday-ws-fanout")
    booted.ask("systemctl", "kill", "-s", "STOP", "mayday-ws-fanout")
    wanted = {"NRestarts": "1", "ActiveState": "active"}
    wait_until(lambda: booted.properties("mayday-ws-fanout", *wanted) == wanted, 60, "a restart")


def test_the_target_stops_them_all_in_order(booted):
    booted.ask("systemctl", "stop", "mayday.target")
    for name in SERVICES:
        unit = f"mayday-{name}"
        wait_until(lambda: booted.properties(unit, "ActiveState")["ActiveState"] == "inactive", 30, unit)
        assert booted.properties(unit, "Result")["Result"] == "success"


def test_purging_it_leaves_nothing(debian):
    debian.inside("dpkg", "--purge", "mayday")
    for path in ("etc/mayday", "usr/sbin/mayday-auth-svc", "var/lib/mayday"):
        assert debian.inside("sh", "-c", f"ls -d /{path} 2>/dev/null || true") == "", path
