"""All daemons built and their unit tests run in a Debian 13: newer hiredis, libmicrohttpd, libuv, OpenSSL
and gcc than those of Debian 12. Takes minutes: only with MAYDAY_TEST_DEBIAN13=yes."""

import os
import re
import subprocess

import pytest

from lib import installed
from lib.daemon import ROOT
from lib.servers import CACHE
from lib.services import SERVICES

SETUP = "deploy/local/lib"


@pytest.fixture(scope="module")
def debian(tmp_path_factory):
    if os.environ.get("MAYDAY_TEST_DEBIAN13") != "yes":
        pytest.skip("NOT DONE: a build in Debian 13: only with MAYDAY_TEST_DEBIAN13=yes (minutes)")
    script = (f"set -e; cd {ROOT}; . {SETUP}/common.sh; . {SETUP}/debian_root.sh; . {SETUP}/packages.sh; "
              "SETUP_LOG=/dev/null; debian_root_build trixie >&2; echo ${PACKAGES_BUILD[@]}")
    done = subprocess.run(["bash", "-c", script], check=True, stdout=subprocess.PIPE, text=True, timeout=300)
    packages = [*done.stdout.split(), "libcmocka-dev", "redis-server", "mariadb-server"]
    folder = tmp_path_factory.mktemp("debian13")
    debian = installed.Debian(folder, CACHE / "trixie")
    try:
        debian.install(*packages)
        debian.inside("sh", "-c", "echo 127.0.0.1 localhost >/etc/hosts")  # a bare Debian has none
        debian.outside("cp", "-r", installed.copy_source(folder / "src"), debian.root / "src")
        yield debian
    finally:
        debian.close()


def test_everything_is_built_without_a_warning(debian):
    debian.inside("make", "-s", "-C", "/src", f"-j{os.cpu_count()}", "all", "unit-bins", timeout=600)
    for name in SERVICES:
        assert debian.inside(f"/src/build/bin/{name}", "--version").startswith(name)


def test_unit_tests_pass(debian):
    said = debian.inside("make", "-s", "-C", "/src", "unit", timeout=300)
    assert re.fullmatch(r"[1-9]\d* passed, 0 failed", said.splitlines()[-1])
