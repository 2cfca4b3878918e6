"""What a supervisor is told, and what one may ask: systemd's notifications, --healthy."""

import os
import socket
import subprocess

from lib.daemon import BIN
from lib.process import wait_until


def test_a_supervisor_is_told_when_it_is_ready_that_it_lives_and_that_it_stops(daemon, tmp_path):
    told = []
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as supervisor:
        supervisor.bind(str(tmp_path / "notify"))
        supervisor.settimeout(15)
        one = daemon("ws-fanout", NOTIFY_SOCKET=tmp_path / "notify", WATCHDOG_USEC=200_000)
        while told.count("WATCHDOG=1") < 3:
            told.append(supervisor.recv(200).decode())
        one.stop()
        while told[-1] != "STOPPING=1":
            told.append(supervisor.recv(200).decode())
    assert told[0] == "READY=1"


def test_signs_of_life_of_another_process_are_not_ours(daemon, tmp_path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as supervisor:
        supervisor.bind(str(tmp_path / "notify"))
        supervisor.settimeout(15)
        one = daemon("ws-fanout", NOTIFY_SOCKET=tmp_path / "notify", WATCHDOG_USEC=1000, WATCHDOG_PID=1)
        one.stop()
        assert [supervisor.recv(200), supervisor.recv(200)] == [b"READY=1", b"STOPPING=1"]


def test_a_socket_that_is_none_changes_nothing(daemon):
    assert daemon("ws-fanout", NOTIFY_SOCKET="/nowhere/at/all").ready()


def test_a_health_check_needs_nothing_but_the_daemon(daemon):
    def healthy():
        done = subprocess.run([BIN / "ws-fanout", "--healthy"], timeout=20, capture_output=True, text=True,
                              env={**one.env, "PATH": os.environ["PATH"]})
        return done.returncode, done.stdout

    one = daemon("ws-fanout")
    assert healthy() == (0, f"ws-fanout at {one.listen}: alive\n")
    one.sigstop()
    status, said = healthy()
    assert status == 1 and "does not answer" in said
    one.sigcont()
    one.stop()
    wait_until(lambda: healthy()[0] == 1, what="nobody there")
