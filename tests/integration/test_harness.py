"""The harness itself: real servers come up, die and come back with their data."""

from lib.client import Rest
from lib.process import wait_until


def test_redis_keeps_its_data_over_a_kill(redis_server, redis):
    redis.set("key", "value")
    redis.config_set("appendfsync", "always")
    redis.set("key", "value")
    redis_server.kill9()
    redis_server.start()
    assert redis.get("key") == "value"


def test_database_is_empty_and_answers(database):
    assert database.query("SHOW TABLES") == []
    database.query("CREATE TABLE t (a INT)")
    database.query("INSERT INTO t VALUES (%s)", 7)
    assert database.query("SELECT a FROM t") == [{"a": 7}]


def test_nginx_serves_and_reloads(nginx):
    server = nginx("listen {listen}; location / { return 200 one; }")
    assert Rest(server.url).get("/").text == "one"
    server.write("listen {listen}; location / { return 200 two; }")
    server.reload()
    wait_until(lambda: Rest(server.url).get("/").text == "two", what="the new configuration")
