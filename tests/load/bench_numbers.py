"""Statistics and search over a million calls of 90 days: 10 queues, 50 agents, 4 trunks."""

import atexit
import functools
import http.client
import os
import time

from lib.process import wait_until
from lib.servers import MariaDb
from rig import Rig

CALLS = int(os.environ.get("MAYDAY_BENCH_CALLS", 1_000_000))
DAYS, QUARTER, DAY = 90, 900_000, 86_400_000
FIRST = 1_790_000_000_000 // DAY * DAY
STEP = DAYS * DAY // CALLS
ASKED = 300
ZONES = "Asia/Tokyo America/New_York Europe/Berlin"

# Between 8 and 18 o'clock, as it would be: 40 quarters of each day. A day is their sum.
WORK = (f"FROM seq_0_to_{DAYS - 1} d JOIN seq_32_to_71 q JOIN seq_1_to_%d n")
AT = f"{FIRST} + d.seq * {DAY} + q.seq * {QUARTER}"

LOAD = [
    "INSERT INTO call_history (call_id, batch, pbx, direction, from_number, to_number, started_at,"
    " answered_at, ended_at, duration_ms, talk_ms, hold_ms, result, queue, queue_wait_ms, trunk, details)"
    f" SELECT CONCAT('c.', seq), 0, 'main', 'inbound', 70000 + seq MOD 5000, 5000 + seq MOD 10,"
    f" {FIRST} + seq * {STEP}, NULL, {FIRST} + seq * {STEP} + 60000, 60000, 50000, 0,"
    " IF(seq MOD 9 = 0, 'abandoned', 'answered'), CONCAT('queue', seq MOD 10), 8000,"
    f" CONCAT('trunk', seq MOD 4), '{{}}' FROM seq_1_to_{CALLS}",
    f"INSERT INTO call_parties SELECT 70000 + seq MOD 5000, {FIRST} + seq * {STEP},"
    f" CONCAT('c.', seq), 0 FROM seq_1_to_{CALLS}",
    f"INSERT INTO call_parties SELECT 1000 + seq MOD 50, {FIRST} + seq * {STEP},"
    f" CONCAT('c.', seq), 1 FROM seq_1_to_{CALLS}",
    "INSERT INTO stats_queue (step, at, name, offered, answered, answered_20, abandoned, wait_ms,"
    f" connected, talk_ms) SELECT 0, {AT}, CONCAT('queue', n.seq - 1), 28, 25, 20, 3, 200000, 25, 1250000 "
    + WORK % 10,
    "INSERT INTO stats_agent (step, at, name, offered, answered, talk_ms, available_ms, busy_ms)"
    f" SELECT 0, {AT}, 999 + n.seq, 6, 5, 300000, 500000, 400000 " + WORK % 50,
    "INSERT INTO stats_trunk (step, at, name, calls, answered, talk_ms, duration_ms)"
    f" SELECT 0, {AT}, IF(n.seq = 5, '', CONCAT('trunk', n.seq - 1)), 70, 62, 3100000, 4200000 "
    + WORK % 5,
] + [f"INSERT INTO {table} (step, at, name, {columns}) SELECT 1, at - at MOD {DAY}, name, "
     + ", ".join(f"SUM({each})" for each in columns.split(", "))
     + f" FROM {table} WHERE step = 0 GROUP BY at - at MOD {DAY}, name"
     for table, columns in (
         ("stats_queue", "offered, answered, answered_20, abandoned, wait_ms, connected, talk_ms"),
         ("stats_agent", "offered, answered, talk_ms, available_ms, busy_ms"),
         ("stats_trunk", "calls, answered, talk_ms, duration_ms"))]

LAST = FIRST + DAYS * DAY
STATS = [f"/api/admin/historical-stats?{query}" for query in (
    f"from={LAST - DAY}&to={LAST}&interval=15min&groupBy=queue",
    f"from={LAST - 7 * DAY}&to={LAST}&interval=hour",
    f"from={LAST - 30 * DAY}&to={LAST}&interval=day&groupBy=agent",
    f"from={FIRST}&to={LAST}&interval=week&groupBy=queue",
    f"from={FIRST}&to={LAST}&interval=month&groupBy=trunk",
    f"from={LAST - 7 * DAY}&to={LAST}&interval=day&groupBy=queue&timeZone=Asia/Tokyo")] + \
    ["/api/admin/call-stats"]
SEARCH = [f"/api/ami/calls/history?{query}" for query in (
    "limit=50", "agent=1007&limit=50", "number=70123", "queue=queue3&result=abandoned",
    f"from={FIRST}&to={FIRST + DAY}&limit=200")]


# The most rows, the longest times, in zones whose days are kept; two of them with a change of clocks.
WIDEST = [f"/api/admin/historical-stats?from={FIRST}&to={LAST}&{query}" for query in (
    "interval=day&groupBy=agent", "interval=day&groupBy=agent&timeZone=Asia/Tokyo",
    "interval=week&groupBy=agent&timeZone=America/New_York",
    "interval=month&groupBy=queue&timeZone=America/New_York",
    "interval=month&groupBy=agent&name=1007&timeZone=Europe/Berlin",
    "interval=day&timeZone=Europe/Berlin", "interval=hour")] + [
    f"/api/admin/historical-stats?from={LAST - days * DAY}&to={LAST}&{query}" for days, query in (
        (20, "interval=hour&groupBy=queue"), (30, "interval=15min"),
        (10, "interval=15min&groupBy=trunk"))]


@functools.cache
def _loaded():
    """(connection, headers) of a daemon that has the million; it lives as long as the process."""
    rig = Rig()
    atexit.register(rig.close)
    rig.__enter__()
    database = MariaDb(rig.net, rig.directory / "mariadb").start()
    rig.callback(database.stop)
    database.recreate()
    lifecycle = rig.daemon("call-lifecycle", until="alive", **database.settings)
    wait_until(lambda: lifecycle.get("/readyz").json()["dependencies"]["schema"]["ok"], 60)
    lifecycle.stop()
    for statement in LOAD:
        database.query(statement)
    lifecycle = rig.daemon("call-lifecycle", until="alive", STATS_TIME_ZONES=ZONES,
                           **database.settings)
    wait_until(lambda: lifecycle.metric("mayday_history_leader") == 1, 120, "days of all zones")
    host, port = lifecycle.listen.rsplit(":", 1)
    return http.client.HTTPConnection(host, int(port)), rig.session("admin", "1009").headers


def _ask(paths):
    """p99 in ms of questions asked in turn, one after another."""
    connection, headers = _loaded()
    taken = []
    for number in range(ASKED):
        path = paths[number % len(paths)]
        began = time.perf_counter()
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        body = answer.read()
        assert answer.status == 200, (path, body[:300])
        taken.append((time.perf_counter() - began) * 1000)
        if os.environ.get("MAYDAY_BENCH_EACH"):
            print(f"{taken[-1]:8.1f} ms {len(body):8} bytes {path}")
    return sorted(taken)[int(len(taken) * 0.99)]


BENCHES = [
    (f"statistics over {CALLS:,} calls, p99", lambda: _ask(STATS), "ms", 50, "at most"),
    (f"widest statistics over {CALLS:,} calls, p99", lambda: _ask(WIDEST), "ms", 50, "at most"),
    (f"search over {CALLS:,} calls, p99", lambda: _ask(SEARCH), "ms", None, ""),
]
