"""200 real SIP calls at once, each with a fate of its own: what the suite says of them is what
Asterisk's own call records say."""

import collections
import csv
import datetime
import io
import json
import threading

import pytest

from lib.cut import Wire
from lib.process import wait_until
from lib.sip_load import Crowd

CALLS, PER_S = 290, 60
EXTENSIONS = [str(number) for number in range(1101, 1301)]
# Call records know whole seconds; on a busy machine the end of a dial is noted later.
ROUNDING_MS, NOTED_MS = 1100, 4000
CDR = """[general]
enable=yes
unanswered=yes
congestion=yes
[csv]
usegmtime=yes
loguniqueid=yes
"""
FIELDS = ("account", "src", "dst", "context", "clid", "channel", "dstchannel", "lastapp",
          "lastdata", "start", "answer", "end", "duration", "billsec", "disposition", "flags",
          "uniqueid")


@pytest.fixture(scope="module")
def records(stack, office):
    """Asterisk writes call records, and the crowd's phones are known. Returns {uniqueid: [row]}."""
    seq = "seq_1101_to_1300"
    stack.sql("INSERT INTO ps_aors (id, max_contacts, contact) SELECT seq, 1, "
              f"CONCAT('sip:', seq, '@{stack.prefix}.98:5060') FROM {seq}")
    stack.sql("INSERT INTO ps_endpoints (id, transport, aors, context, disallow, allow, "
              "direct_media, send_pai, trust_id_inbound) SELECT seq, 'udp', seq, 'from-internal', "
              f"'all', 'ulaw', 'no', 'yes', 'yes' FROM {seq}")
    folder = stack.run / "asterisk/log/cdr-csv"
    folder.mkdir(exist_ok=True)
    settings = stack.run / "asterisk/etc/cdr.conf"
    before = settings.read_text()
    settings.write_text(CDR)
    stack.cli("module reload cdr")
    stack.cli("module load cdr_csv.so")

    def read():
        stack.cli("cdr submit")
        found = collections.defaultdict(list)
        text = (folder / "Master.csv").read_text() if (folder / "Master.csv").exists() else ""
        for row in csv.reader(io.StringIO(text)):
            record = dict(zip(FIELDS, row))
            found[record["uniqueid"]].append(record)
        return found
    yield read
    stack.cli("module unload cdr_csv.so")
    settings.write_text(before)
    stack.cli("module reload cdr")
    stack.sql(f"DELETE FROM ps_endpoints WHERE id IN (SELECT seq FROM {seq})")
    stack.sql(f"DELETE FROM ps_aors WHERE id IN (SELECT seq FROM {seq})")


def ms(text):
    """"2026-11-23 07:00:00" of a call record, UTC."""
    moment = datetime.datetime.strptime(text, "%Y-%m-%d %H:%M:%S")
    return int(moment.replace(tzinfo=datetime.timezone.utc).timestamp() * 1000)


def kept(ledger):
    """{caller's number: call:<callId> as it is kept} of the crowd's calls."""
    found = {}
    for event in ledger.events():
        call = ledger.redis.hgetall(f"call:{event['callId']}")
        number = json.loads(call["from"])["number"]
        if number.startswith("7916000"):
            found[number] = call
    return found


def fits(record, call):
    """One call and the rows that Asterisk wrote of its first channel."""
    faults = []
    answered = any(row["disposition"] == "ANSWERED" for row in record)
    if answered != (call["result"] == "answered"):
        faults.append(f"result {call['result']}")
    begin = min(ms(row["start"]) for row in record)
    end = max(ms(row["end"]) for row in record if row["dstchannel"])
    if not -ROUNDING_MS <= int(call["startedAt"]) - begin <= ROUNDING_MS:
        faults.append(f"start {int(call['startedAt']) - begin} ms off")
    # Those of dials: what the dialplan does afterwards has a row of its own.
    ended = max(each["endedAt"] for each in json.loads(call["segments"])
                if each["kind"] in ("dial", "transfer"))
    if not -NOTED_MS <= ended - end <= NOTED_MS:
        faults.append(f"end {ended - end} ms off")
    if answered:
        answer = min(ms(row["answer"]) for row in record if row["answer"])
        if not -NOTED_MS <= int(call["answeredAt"]) - answer <= NOTED_MS:
            faults.append(f"answer {int(call['answeredAt']) - answer} ms off")
    return faults


# 480: what Asterisk tells the caller of a 603.
RESULTS = {"answered": "answered", "486": "busy", "480": "declined", "gave up": "cancelled"}


def all_there(ledger):
    """Asterisk has heard of every call of the crowd, and looked up whom it is for."""
    wait_until(lambda: sum(entry["Event"] == "DialBegin" for _, entry in ledger.entries()) >= CALLS,
               what="all calls are dialled")


def ended(office, ledger):
    """When it is over: {caller's number: call} of the crowd."""
    wait_until(lambda: not office.channels(), 30, "Asterisk is quiet")
    wait_until(lambda: not ledger.redis.scard("calls:live:main"), 30, "all calls over")
    ledger.settle()
    calls = kept(ledger)
    assert {call["state"] for call in calls.values()} == {"ended"}
    ends = collections.Counter(event["callId"] for event in ledger.events()
                               if event["eventType"] == "call:ended")
    assert set(ends.values()) == {1}
    return calls


def are_as_told(crowd, calls, rows):
    """Every call of the crowd, as Asterisk's call records and the phones have it."""
    assert len(calls) == len(crowd.calls)
    wrong = {}
    for number, call in calls.items():
        found = fits(rows[call["callId"]], call) if call["callId"] in rows else ["no record"]
        if found:
            wrong[number] = (found, call["segments"], rows.get(call["callId"]))
    assert not wrong, f"{len(wrong)} of {len(calls)}: {list(wrong.items())[:3]}"
    told = {str(dialog.number): RESULTS[dialog.truth["result"]] for dialog in crowd.calls}
    assert {number: call["result"] for number, call in calls.items()} == told


def are_as_seen(ledger, calls, rows):
    """The same where nobody saw what happened for a while: every call that went on afterwards is
    known; one that ended meanwhile is reconciled."""
    (_, seen_again), = ledger.gaps()
    known = {call["callId"]: call for call in calls.values()}
    seen = collections.defaultdict(list)
    for _, entry in ledger.entries():
        seen[entry.get("Linkedid")].append((entry["Event"], entry["t"], entry.get("ChannelState")))
    for call_id, record in rows.items():
        if not record[0]["src"].startswith("7916000"):
            continue
        if max(ms(row["end"]) for row in record) > seen_again + ROUNDING_MS:
            assert call_id in known, record
        if any(row["disposition"] == "ANSWERED" for row in record) and call_id in known:
            call = known[call_id]
            assert call["result"] in ("answered", "reconciled"), (call, record, seen[call_id])
    # What began and ended while no gateway was there, nobody can know.
    assert len(calls) >= CALLS * 0.9


def test_200_calls_at_once_are_what_asterisk_says(stack, office, ledger, records):
    crowd, peak = Crowd(stack.prefix, EXTENSIONS), []
    faults = crowd.run(CALLS, PER_S, lambda: peak.append(ledger.redis.scard("calls:live:main")))
    assert not faults, faults[:5]
    calls, rows = ended(office, ledger), records()
    assert peak[0] >= 200, peak
    are_as_told(crowd, calls, rows)
    assert {uniqueid for uniqueid in rows if rows[uniqueid][0]["src"].startswith("7916000")} == \
        {call["callId"] for call in calls.values()}
    # A hold or a transfer that crossed a hang-up did not happen: Asterisk says which did.
    seen = [entry for _, entry in ledger.entries()]
    held = {entry["Linkedid"] for entry in seen if entry["Event"] == "Hold"}
    assert held and held == {event["callId"] for event in ledger.events()
                             if event["eventType"] == "call:held"}
    moved = {entry["TransfereeLinkedid"] for entry in seen
             if entry["Event"] == "BlindTransfer" and entry["Result"] == "Success"}
    assert moved and moved == {call["callId"] for call in calls.values()
                               if json.loads(call["transfers"])}


def test_daemons_die_under_200_calls(stack, office, ledger, records):
    """Nothing is told twice, nothing stays, and every call that goes on afterwards is known."""
    def die():
        for part in ("call-lifecycle", "ami-gateway"):
            stack.kill9(part)
    crowd = Crowd(stack.prefix, EXTENSIONS, seed=2)
    faults = crowd.run(CALLS, PER_S, die)
    assert not faults, faults[:5]
    are_as_seen(ledger, ended(office, ledger), records())


def test_redis_dies_under_200_calls(stack, office, ledger, records):
    """The gateway keeps what it cannot write: nothing is missing in the end."""
    crowd = Crowd(stack.prefix, EXTENSIONS, seed=3)
    faults = crowd.run(CALLS, PER_S, lambda: stack.kill9("redis"))
    assert not faults, faults[:5]
    are_as_told(crowd, ended(office, ledger), records())
    assert ledger.gaps() == []


@pytest.fixture
def wire(stack, office):
    """Between the gateway and Asterisk."""
    laid = Wire(f"{stack.prefix}.97", 5038, (f"{stack.prefix}.1", 5038))
    stack.configure("ami-gateway", AMI_HOST=laid.host, AMI_PING_MS=500, AMI_TIMEOUT_MS=1500)
    wait_until(lambda: stack.redis_client().hget("pbx:main", "state") == "up", what="it is up")
    yield laid
    stack.configure("ami-gateway")
    laid.close()


def test_the_wire_is_cut_under_200_calls(stack, office, wire, ledger, records):
    def cut():
        wire.cut()
        threading.Timer(2, wire.mend).start()
    crowd = Crowd(stack.prefix, EXTENSIONS, seed=4)
    faults = crowd.run(CALLS, PER_S, cut)
    assert not faults, faults[:5]
    are_as_seen(ledger, ended(office, ledger), records())


def test_mariadb_is_away_under_200_calls(stack, office, ledger, records):
    """It keeps Asterisk's phones: nobody new is called. What is live goes on, and the history has
    each call once when it is back."""
    def take_away():
        all_there(ledger)
        stack.stop("mariadb")
    crowd = Crowd(stack.prefix, EXTENSIONS, seed=5)
    faults = crowd.run(CALLS, PER_S, take_away)
    calls = ended(office, ledger)
    stack.up("mariadb")
    assert not faults, faults[:5]
    are_as_told(crowd, calls, records())
    ids = sorted(call["callId"] for call in calls.values())
    began = min(int(call["startedAt"]) for call in calls.values())

    def history():
        return stack.sql("SELECT call_id, result, talk_ms FROM mayday.call_history WHERE started_at "
                         f">= {began} AND from_number LIKE '7916000%' ORDER BY call_id").split("\n")[:-1]
    wait_until(lambda: len(history()) >= len(ids), 60, "the history")
    assert history() == sorted(f"{call['callId']}\t{call['result']}\t{call['talkMs']}"
                               for call in calls.values())


def test_asterisk_dies_under_200_calls(stack, office, ledger, records):
    """The last of this file: what the records are written by is gone with it."""
    def die():
        all_there(ledger)
        stack.kill9("asterisk")
        return Crowd.NOBODY_LEFT
    crowd = Crowd(stack.prefix, EXTENSIONS, seed=6)
    faults = crowd.run(CALLS, PER_S, die)
    assert not faults, faults[:5]
    stack.up("asterisk")
    calls = ended(office, ledger)
    assert len(calls) == CALLS
    told = {str(dialog.number): RESULTS.get(dialog.truth["result"]) for dialog in crowd.calls}
    seen = {number: call["result"] for number, call in calls.items()
            if call["result"] != "reconciled"}
    assert CALLS - len(seen) >= 200
    assert seen == {number: told[number] for number in seen}
