"""`--migrate [VERSION]`: each change of the schema can be taken back to what was there before, and
made again, while what the older version knows of stays."""

import re
import subprocess

import pytest

from lib import openapi
from lib.daemon import BIN, ROOT

NEWEST = {name: max(map(int, re.findall(r"^\t\{(\d+), \"", path.read_text(), re.M)))
          for path in ROOT.glob("services/*/migrations.c") for name in [path.parent.name]}


@pytest.fixture
def migrate(database):
    def migrate(name, *version, expected=0):
        words = [BIN / name, "--migrate", *map(str, version)]
        done = subprocess.run(words, env={**openapi.MINIMAL_SETTINGS, **database.settings}, timeout=60,
                              capture_output=True, text=True)
        assert done.returncode == expected, done.stderr
        return done.stderr
    return migrate


def shape(database):
    """Every column and key of every table."""
    where = "WHERE table_schema = 'mayday' AND table_name <> 'schema_migrations'"
    columns = database.query(
        "SELECT table_name, column_name, ordinal_position, column_type, is_nullable, column_default, "
        f"collation_name FROM information_schema.columns {where} ORDER BY 1, 3")
    keys = database.query(
        "SELECT table_name, index_name, seq_in_index, column_name, non_unique "
        f"FROM information_schema.statistics {where} ORDER BY 1, 2, 3")
    return columns, keys


def applied(database, name):
    return [row["version"] for row in database.query(
        "SELECT version FROM schema_migrations WHERE component = %s ORDER BY 1", name)]


@pytest.mark.parametrize("name", sorted(NEWEST))
def test_each_step_back_is_the_step_before(migrate, database, name):
    shapes = {}
    for version in range(1, NEWEST[name] + 1):
        migrate(name, version)
        shapes[version] = shape(database)
        assert applied(database, name) == list(range(1, version + 1))
    for version in range(NEWEST[name] - 1, 0, -1):
        migrate(name, version)
        assert shape(database) == shapes[version], f"{name}: back at {version}"
        assert applied(database, name) == list(range(1, version + 1))
    migrate(name)
    assert shape(database) == shapes[NEWEST[name]]


def test_what_the_older_version_knows_stays(migrate, database):
    migrate("auth-svc")
    database.query("INSERT INTO users (username, password_hash, role, email, created_at, updated_at) "
                   "VALUES ('ann', 'x', 'agent', 'ann@example.org', 1, 1)")
    database.query("INSERT INTO queues (name, strategy) VALUES ('support', 'rrmemory')")
    migrate("auth-svc", 2)
    (ann,) = database.query("SELECT * FROM users")
    assert ann["username"] == "ann" and "email" not in ann
    migrate("auth-svc")
    (ann,) = database.query("SELECT username, email FROM users")
    assert ann == {"username": "ann", "email": None}
    assert database.query("SELECT strategy FROM queues WHERE name = 'support'") == [{"strategy": "rrmemory"}]


def test_components_go_their_own_ways(migrate, database):
    for name in NEWEST:
        migrate(name)
    migrate("auth-svc", 2)
    assert applied(database, "call-lifecycle") == list(range(1, NEWEST["call-lifecycle"] + 1))


def test_a_daemon_comes_up_with_the_schema_of_a_newer_one(daemon, migrate, database):
    migrate("auth-svc")
    database.query("INSERT INTO schema_migrations VALUES ('auth-svc', 99, '0099_later', REPEAT('0', 64), 1)")
    daemon("auth-svc", **database.settings)
    assert "newer daemon" in migrate("auth-svc", 2, expected=1)
    assert applied(database, "auth-svc")[-1] == 99


@pytest.mark.parametrize("version", ["one", "-1", "1x", ""])
def test_what_is_no_version_is_refused(migrate, version):
    assert "no version" in migrate("auth-svc", version, expected=2)


def test_the_first_tables_are_not_thrown_away(migrate, database):
    migrate("call-lifecycle")
    assert "cannot be taken back" in migrate("call-lifecycle", 0, expected=1)
    assert applied(database, "call-lifecycle") == [1], "as far as it could go"
