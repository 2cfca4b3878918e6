"""`make install`: the units are right and tight, nginx and logrotate take their files."""

import re
import subprocess

import pytest

from lib import installed
from lib.services import SERVICES

UNITS = [*SERVICES, "nginx"]
EXPOSURE_MAX = 3.0


@pytest.fixture(scope="module")
def staged(tmp_path_factory):
    """Paths in its units and in nginx' files lead into the folder, so that they can be looked at
    without being installed."""
    folder = installed.stage(tmp_path_factory.mktemp("staged"))
    for unit in (folder / "lib/systemd/system").glob("*.service"):
        unit.write_text(unit.read_text().replace("=/usr/sbin/mayday-", f"={folder}/usr/sbin/mayday-"))
    return folder


def test_every_daemon_is_installed_with_unit_settings_and_manual_page(staged):
    for name in SERVICES:
        for path in (f"usr/sbin/mayday-{name}", f"lib/systemd/system/mayday-{name}.service",
                     f"etc/mayday/{name}.env", f"usr/share/doc/mayday/{name}.md"):
            assert (staged / path).exists(), path


@pytest.mark.parametrize("name", UNITS)
def test_a_unit_is_understood(staged, name):
    unit = staged / f"lib/systemd/system/mayday-{name}.service"
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", unit], capture_output=True, text=True,
                          timeout=60)
    complaints = [line for line in done.stderr.splitlines() if "mayday" in line]
    assert done.returncode == 0 and not complaints, done.stderr


@pytest.mark.parametrize("name", UNITS)
def test_a_unit_exposes_little(staged, name):
    unit = staged / f"lib/systemd/system/mayday-{name}.service"
    text = installed.call("systemd-analyze", "security", "--offline=true", "--no-pager", unit)
    exposure = float(re.search(r"Overall exposure level for \S+: ([0-9.]+)", text)[1])
    assert exposure < EXPOSURE_MAX, text


def test_secrets_are_roots_alone_and_stay(staged):
    folder = staged / "etc/mayday"
    secrets = {path.name: path.read_text() for path in (folder / "secrets").iterdir()}
    assert len({value for value in secrets.values()}) == len(secrets)
    for path in (folder / "secrets", *(folder / "secrets").iterdir(), folder / "tls/key.pem"):
        assert path.stat().st_mode & 0o077 == 0, path
    installed.stage(staged)
    assert {path.name: path.read_text() for path in (folder / "secrets").iterdir()} == secrets


def test_what_the_administrator_changed_stays(staged):
    file = staged / "etc/mayday/common.env"
    file.write_text(file.read_text() + "LOG_LEVEL=debug\n")
    installed.stage(staged)
    assert file.read_text().endswith("LOG_LEVEL=debug\n")


def test_nginx_takes_its_files(staged, tmp_path):
    for source in (staged / "etc/mayday/nginx").iterdir():
        text = source.read_text().replace("/etc/mayday", str(staged / "etc/mayday"))
        for path in ("/run/mayday-nginx", "/var/log/mayday"):
            text = text.replace(path, str(tmp_path))
        (tmp_path / source.name).write_text(text.replace("user www-data;", "user root;"))
    done = subprocess.run(["nginx", "-t", "-e", "stderr", "-c", tmp_path / "nginx.conf"], capture_output=True,
                          text=True, timeout=30)
    assert done.returncode == 0, done.stderr


def test_logrotate_takes_its_file(staged, tmp_path):
    file = tmp_path / "logrotate"
    file.write_text((staged / "etc/logrotate.d/mayday").read_text().replace("/var/log", str(tmp_path)))
    file.chmod(0o644)
    (tmp_path / "mayday").mkdir(mode=0o755)
    (tmp_path / "mayday/front.log").write_text("x\n" * 100)
    installed.call("logrotate", "--force", "--state", tmp_path / "state", file)
    assert (tmp_path / "mayday/front.log.1").exists()
    assert (tmp_path / "mayday/front.log").stat().st_size == 0
