"""The local stack itself: what it starts, what it says, what it survives."""

import os
import signal
import socket
import subprocess
import time

import pytest

from lib.process import wait_until
from lib.stack import COMMAND, Stack


def test_a_second_up_is_harmless(stack):
    stack.up("redis")
    before = stack.pid("redis")
    assert f"pid {before}" in stack.up("redis").call("status")
    assert stack.pid("redis") == before


def test_down_keeps_the_data_and_stops_everything(stack):
    stack.up("redis")
    stack.call("redis", "set", "kept", "yes")
    pid = stack.pid("redis")
    time.sleep(1.1)  # appendfsync everysec
    stack.down()
    wait_until(lambda: not os.path.exists(f"/proc/{pid}"), what="redis gone")
    assert stack.up("redis").call("redis", "get", "kept").strip() == "yes"


def test_a_killed_part_comes_back(stack):
    stack.up("redis")
    before = stack.pid("redis")
    stack.kill9("redis")
    wait_until(lambda: stack.pid("redis") not in (None, before), what="redis again")
    wait_until(lambda: stack.call("redis", "ping").strip() == "PONG", what="redis answers")


def test_a_killed_supervisor_is_noticed_and_replaced(stack):
    stack.up("redis")
    before = stack.pid("redis")
    os.kill(int((stack.run / "runsvdir.pid").read_text()), signal.SIGKILL)
    with pytest.raises(AssertionError, match="supervisor"):
        wait_until(lambda: not stack.call("status"), timeout=3)
    stack.up("redis").call("status")
    assert stack.pid("redis") == before


def test_a_taken_port_is_named_with_its_owner(stack, net, tmp_path):
    other = Stack(net.prefix, tmp_path / "run")
    with socket.create_server((f"{net.prefix}.2", 6379)):
        owner = rf"port {net.prefix}.2:6379 \(redis\) is taken by \S+, pid {os.getpid()}"
        with pytest.raises(AssertionError, match=owner):
            other.up("redis")


def test_a_full_disk_is_said_in_one_line(net, tmp_path):
    other = Stack(net.prefix, tmp_path / "run")
    other.environment["MAYDAY_SPACE_MB"] = "999999999"
    with pytest.raises(AssertionError, match="disk full: the stack needs"):
        other.up("redis")


def test_who_is_not_root_is_told(stack):
    done = subprocess.run(["setpriv", "--reuid", "65534", COMMAND, "up"], env=stack.environment,
                          capture_output=True, text=True, timeout=30)
    assert done.returncode == 1 and done.stderr.count("\n") == 1 and "needs root" in done.stderr


def test_what_is_no_part_is_refused(stack):
    with pytest.raises(AssertionError, match="there is no part 'radio'"):
        stack.up("radio")


def test_wrong_settings_are_said_at_once(stack):
    with pytest.raises(AssertionError, match="AMI_POOL: 99 is not within 1 to 16"):
        stack.configure("ami-gateway", AMI_POOL=99)
    stack.configure("ami-gateway")


def test_secrets_are_nobody_elses(stack):
    stack.up("redis")
    secrets = [stack.run / "secrets", *(stack.run / "secrets").rglob("*")]
    assert len(secrets) > 1
    for path in secrets:
        assert path.stat().st_mode & 0o777 == (0o700 if path.is_dir() else 0o600), path


def test_asterisk_reads_only_its_own_tables(stack):
    stack.up("mariadb")
    grants = stack.sql("SHOW GRANTS FOR asterisk@'127.%'")
    assert "`mayday`.`ps_contacts`" in grants
    assert "users" not in grants and "`mayday`.*" not in grants


def test_phones_talk_through_asterisk(stack):
    stack.up("asterisk")
    phones = stack.phones(1001, 1002)
    began = time.monotonic()
    phones["1001"].dial("1002")
    phones["1002"].rings(began)
    phones["1002"].answer()
    phones["1001"].talks(began)
    assert "2 active channels" in stack.cli("core show channels count")
    phones["1002"].hangup()
    phones["1001"].is_free(began)
    for phone in phones.values():
        phone.close()


def test_do_not_disturb_is_read_from_the_database(stack):
    stack.up("asterisk")
    phones = stack.phones(1001, 1002)
    stack.sql("UPDATE user_presence SET presence = 'dnd' WHERE extension = '1002'")
    try:
        began = time.monotonic()
        phones["1001"].dial("1002")
        assert "486" in phones["1001"].is_free(began)["param"]
    finally:
        stack.sql("UPDATE user_presence SET presence = 'available' WHERE extension = '1002'")
        for phone in phones.values():
            phone.close()


def test_a_row_of_voice_extensions_overrides_the_dialplan(stack):
    stack.up("asterisk")
    phone = stack.phones(1001)["1001"]
    stack.sql("INSERT INTO voice_extensions (context, exten, priority, app, appdata) "
              "VALUES ('from-internal', '1002', 1, 'Hangup', '21')")
    try:
        began = time.monotonic()
        phone.dial("1002")
        assert phone.is_free(began)["param"].startswith(("603", "403"))
    finally:
        stack.sql("DELETE FROM voice_extensions WHERE exten = '1002'")
        phone.close()
