"""ami-gateway and an Asterisk, or somebody in its place, that keeps no rule."""

import random

import pytest

from lib.fake_ami import answer, event, listing, message
from lib.process import wait_until
from integration.test_gateway import counter, entries, named, wait_for


def test_cut_anywhere_it_is_the_same(gateway, ami, redis):
    """Each byte in a packet of its own, or cuts wherever they hurt."""
    gateway()
    listener = ami.wait_listener()
    dice = random.Random(7)
    text = b"".join(event("Newstate", Uniqueid=f"m-{n}.1", Odd=b"a\nb\r c: d") for n in range(200))
    while text:
        size = dice.choice((1, 1, 2, 3, 17, 400))
        listener.send(text[:size])
        text = text[size:]
    got = wait_for(redis, "Newstate", 200)
    assert [e["Uniqueid"] for e in got] == [f"m-{n}.1" for n in range(200)]
    assert {e["Odd"] for e in got} == {"a\nb\r c: d"}


@pytest.mark.parametrize("stamp", ["9" * 40 + ".123456", "99999999999.999999", "0.0", "-1.000000",
                                   "1.", "", "123456789", "123456789.12", "1x", "17964000000000000"])
def test_a_clock_that_is_mad(gateway, ami, redis, stamp):
    gateway()
    ami.wait_listener()
    ami.emit(message(("Event", "Newstate"), ("Timestamp", stamp), ("Uniqueid", "1.1")))
    wait_for(redis, "Newstate")


def test_blocks_without_an_event(gateway, ami, redis):
    daemon = gateway()
    ami.wait_listener()
    ami.emit(b"Exten: 1\r\nUniqueid: 1.1\r\n\r\n" * 100000 + event("Newstate"))
    wait_for(redis, "Newstate")
    wait_until(lambda: counter(daemon, "torn_total") == 100000)
    assert daemon.log.count("a caller may be forging events") == 1
    assert len(entries(redis)) < 20


def test_lists_of_huge_items(gateway, ami, redis):
    ami.channels = [("CoreShowChannel", {"Channel": f"PJSIP/{n}", "Huge": "x" * 90000})
                    for n in range(50)]
    gateway()
    assert wait_for(redis, "MaydaySnapshotEnd")[0]["channels"] == 50
    assert len(named(redis, "CoreShowChannel")) == 50


def test_a_list_without_an_end(gateway, ami, redis):
    """A snapshot that never ends is given up, and asked for again on a new connection."""
    whole = ami.handlers["CoreShowChannels"]
    ami.handlers["CoreShowChannels"] = lambda c, r: listing(
        r, "CoreShowChannelsComplete").rsplit(b"Event", 1)[0]
    gateway()
    wait_for(redis, "MaydayDown", timeout=30)
    assert not named(redis, "MaydaySnapshotEnd")
    ami.handlers["CoreShowChannels"] = whole
    wait_for(redis, "MaydaySnapshotEnd", timeout=30)


def test_answers_to_nobody(gateway, ami, redis):
    """Responses whose ActionID is wrong, none, twice, or of another connection."""
    daemon = gateway()
    listener = ami.wait_listener()
    wait_for(redis, "MaydaySnapshotEnd")
    known = listener.requests[-1]["ActionID"]
    for text in ("", "x" * 900, known, known[:-1], "\0", known.upper()):
        ami.emit(message(("Response", "Success"), ("ActionID", text)))
    ami.emit(message(("Response", "Success")) + event("QueueStatusComplete", ActionID=known,
                                                      EventList="Complete"))
    ami.emit(event("Newstate"))
    wait_for(redis, "Newstate")
    assert len(named(redis, "MaydaySnapshotEnd")) == 1
    wait_until(lambda: counter(daemon, "unasked_total") == 7)


def test_fully_booted_again_and_again(gateway, ami, redis):
    gateway()
    ami.wait_listener()
    wait_for(redis, "MaydaySnapshotEnd")
    ami.emit(message(("Event", "FullyBooted"), ("Status", "Fully Booted")) * 50)
    wait_for(redis, "MaydaySnapshotEnd", 2)
    ami.emit(event("Newstate"))
    wait_for(redis, "Newstate")
    begun, ended = len(named(redis, "MaydaySnapshotBegin")), len(named(redis, "MaydaySnapshotEnd"))
    assert 2 <= ended <= begun <= 60


def test_a_login_that_is_answered_late(gateway, ami, redis):
    """After the time-out the connection is another one, and the late answer is nobody's."""
    late = []
    login = ami.handlers["Login"]

    def never(connection, request):
        if len(late) < 3:
            late.append((connection, request))
            return None
        return login(connection, request)

    ami.handlers["Login"] = never
    gateway("alive")
    wait_until(lambda: len(late) == 3)
    for connection, request in late:
        connection.send(answer(request, Message="Authentication accepted"))
    wait_for(redis, "MaydaySnapshotEnd", timeout=30)
    assert len(named(redis, "MaydayUp")) == 1
