"""The cases of the Autobahn test suite, by hand from RFC 6455 and RFC 7692: its programs need a
Python that is gone. Ours is no echo server: that a message came whole shows in the answer to it."""

import json
import zlib

import pytest

from lib.raw_websocket import RawSocket, frame

CONT, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
DEFLATE = "permessage-deflate"


@pytest.fixture
def known(daemon, session):
    """known() -> a raw socket whose client is known; the daemon must be well at the end."""
    fanout = daemon("ws-fanout", WS_MESSAGE_MAX=4 * 1024 * 1024)
    token, made = session().token, []

    def make(**headers):
        socket = RawSocket(fanout.ws_listen).open(**headers)
        socket.send(frame(TEXT, json.dumps({"type": "auth", "token": token}).encode()))
        assert json.loads(socket.frame()[1])["type"] == "welcome"
        made.append(socket)
        return socket
    yield make
    for one in made:
        one.close()
    assert fanout.alive()


def message(size, id_="x"):
    """A JSON message of that size that is answered by a pong."""
    text = json.dumps({"type": "ping", "id": id_, "pad": ""}, separators=(",", ":"))
    return text.replace('"pad":""', '"pad":"' + "a" * (size - len(text)) + '"').encode()


def cut(payload, size, opcode=TEXT, **options):
    """As frames of that many bytes."""
    pieces = [payload[at:at + size] for at in range(0, len(payload), size)] or [b""]
    last = len(pieces) - 1
    return b"".join(frame(opcode if number == 0 else CONT, piece, fin=number == last,
                          **(options if number == 0 else {}))
                    for number, piece in enumerate(pieces))


def answer(socket):
    while True:
        opcode, payload = socket.frame()
        if opcode == TEXT:
            return json.loads(payload)


def is_answered(socket, id_="x"):
    found = answer(socket)
    assert (found["type"], found["id"]) == ("pong", id_)


def ends(known, data, *codes, **headers):
    socket = known(**headers)
    try:
        socket.send(data)
    except OSError:
        pass
    code = socket.close_code()
    assert code in codes, (data[:40], code)


# ---- 1, 9: framing, sizes ----

def test_sizes_and_chops(known):
    socket = known()
    for size in (60, 125, 126, 127, 128, 65535, 65536, 1 << 20):
        socket.send(frame(TEXT, message(size)))
        is_answered(socket)
    for size, piece in ((65536, 997), (65536, 1), (1 << 20, 1024), (1 << 20, 65536)):
        data = frame(TEXT, message(size))
        if piece > 1:
            for at in range(0, len(data), piece):
                socket.send(data[at:at + piece])
        else:
            socket.send(data[:10])
            for at in range(10, 200):
                socket.send(data[at:at + 1])
            socket.send(data[200:])
        is_answered(socket)
    socket.send(frame(TEXT, b""))
    assert answer(socket)["code"] == "bad_message"
    for size in (0, 125, 126, 65536):
        ends(known, frame(BINARY, b"\xfe" * size), 1003)


# ---- 2: pings and pongs ----

def test_pings(known):
    socket = known()
    for payload in (b"", b"Hello", b"\x00\xff\xfe\xfd\xfc\xfb\x00\xff", b"\xfe" * 125):
        socket.send(frame(PING, payload))
        assert socket.frame() == (PONG, payload)
    socket.send(frame(PONG, b"unasked") + frame(PONG) + frame(PING, b"after"))
    assert socket.frame() == (PONG, b"after")
    pings = [b"payload-%d" % number for number in range(10)]
    socket.send(b"".join(frame(PING, each) for each in pings))
    assert [socket.frame() for _ in pings] == [(PONG, each) for each in pings]
    for byte in b"".join(frame(PING, each) for each in pings):
        socket.send(bytes([byte]))
    assert [socket.frame() for _ in pings] == [(PONG, each) for each in pings]
    ends(known, frame(PING, b"x" * 126), 1002)


# ---- 3, 4: reserved bits and opcodes ----

def test_reserved(known):
    good = frame(TEXT, message(100))
    for rsv in range(1, 8):
        for bad in (frame(TEXT, b"{}", rsv=rsv), frame(PING, b"x", rsv=rsv),
                    frame(CLOSE, b"\x03\xe8", rsv=rsv)):
            ends(known, bad, 1002)
        ends(known, good + frame(TEXT, b"{}", rsv=rsv) + frame(PING), 1002)
    for opcode in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15):
        ends(known, frame(opcode), 1002)
        ends(known, frame(opcode, b"reserved") + frame(PING), 1002)
        ends(known, good + frame(opcode, b"x"), 1002)


# ---- 5: fragments ----

def test_fragments(known):
    socket = known()
    whole = message(100)
    socket.send(frame(TEXT, whole[:50], fin=False) + frame(CONT, whole[50:]))
    is_answered(socket)
    socket.send(frame(TEXT, b"", fin=False) + frame(CONT, whole, fin=False) + frame(CONT, b""))
    is_answered(socket)
    parts = cut(whole, 10)
    socket.send(frame(TEXT, whole[:50], fin=False) + frame(PING, b"between")
                + frame(CONT, whole[50:]))
    both = [socket.frame() for _ in range(2)]
    assert (PONG, b"between") in both and {opcode for opcode, _ in both} == {TEXT, PONG}
    for byte in parts:
        socket.send(bytes([byte]))
    is_answered(socket)
    for bad in (frame(PING, b"x", fin=False), frame(PONG, b"x", fin=False),
                frame(CLOSE, b"", fin=False), frame(CONT, b"x"), frame(CONT, b"x", fin=False),
                frame(TEXT, b"{", fin=False) + frame(TEXT, b"}"),
                frame(TEXT, b"{", fin=False) + frame(TEXT, b"", fin=False),
                frame(TEXT, b"{", fin=False) + frame(BINARY, b"}"),
                parts + frame(CONT, b"x"), parts + frame(CONT, b"x", fin=False) + parts,
                frame(TEXT, b"{", fin=False) + frame(PING, b"x", fin=False)):
        ends(known, bad, 1002)


# ---- 6: UTF-8 ----

VALID = [
    b"\x48\x65\x6c\x6c\x6f\x2d\xc2\xb5\x40\xc3\x9f\xc3\xb6\xc3\xa4\xc3\xbc\xc3\xa0\xc3\xa1",
    b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5", b"\x00", b"\xc2\x80", b"\xe0\xa0\x80",
    b"\xf0\x90\x80\x80", b"\x7f", b"\xdf\xbf", b"\xef\xbf\xbf", b"\xf4\x8f\xbf\xbf",
    b"\xed\x9f\xbf", b"\xee\x80\x80", b"\xef\xbf\xbd", b"\xef\xbf\xbe", b"\xf0\x9f\xbf\xbe",
    b"\xf3\xbf\xbf\xbf"]
INVALID = [
    b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80\x65\x64\x69\x74\x65\x64",
    b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xf4\x90\x80\x80\x65\x64\x69\x74\x65\x64",
    b"\xf8\x88\x80\x80\x80", b"\xfc\x84\x80\x80\x80\x80", b"\xf7\xbf\xbf\xbf",
    b"\xfb\xbf\xbf\xbf\xbf", b"\xfd\xbf\xbf\xbf\xbf\xbf", b"\xf4\x90\x80\x80",
    b"\x80", b"\xbf", b"\x80\xbf", b"\x80\xbf\x80", bytes(range(0x80, 0xc0)),
    *(bytes([lead]) + b" " for lead in range(0xc0, 0x100)),
    *(bytes([lead]) for lead in (0xc2, 0xdf, 0xe0, 0xef, 0xf0, 0xf4)),
    b"\xe0\x80", b"\xf0\x80\x80", b"\xdf", b"\xef\xbf", b"\xf7\xbf\xbf", b"\xfe", b"\xff",
    b"\xfe\xfe\xff\xff", b"\xc0\xaf", b"\xe0\x80\xaf", b"\xf0\x80\x80\xaf", b"\xf8\x80\x80\x80\xaf",
    b"\xc1\xbf", b"\xe0\x9f\xbf", b"\xf0\x8f\xbf\xbf", b"\xf8\x87\xbf\xbf\xbf", b"\xc0\x80",
    b"\xe0\x80\x80", b"\xed\xa0\x80", b"\xed\xad\xbf", b"\xed\xae\x80", b"\xed\xbf\xbf",
    b"\xed\xa0\x80\xed\xb0\x80", b"\xed\xaf\xbf\xed\xbf\xbf"]


def test_utf8(known):
    socket = known()
    for text in VALID:
        for data in (frame(TEXT, text), cut(text, 1), cut(text, 3)):
            socket.send(data)
            assert answer(socket)["code"] == "bad_message", text
    for text in INVALID:
        ends(known, frame(TEXT, text), 1007)
    for text in INVALID[::7]:
        ends(known, cut(b"ok " + text, 1), 1007)
        ends(known, frame(TEXT, b"ok", fin=False) + frame(CONT, text), 1007)


def test_utf8_fails_at_once(known):
    """6.4: before the message is complete, between two frames and in the middle of one."""
    good, bad = INVALID[1][:11], b"\xf4\x90\x80\x80"
    ends(known, frame(TEXT, good, fin=False) + frame(CONT, bad, fin=False), 1007)
    whole = frame(TEXT, good + bad + b"edited")
    for missing in (6, 8):
        ends(known, whole[:-missing], 1007)


# ---- 7: closing ----

def test_closing(known):
    for payload in (b"", b"\x03\xe8", b"\x03\xe8Hello", b"\x03\xe8" + b"*" * 123):
        socket = known()
        socket.send(frame(CLOSE, payload) + frame(PING) + frame(TEXT, message(100)))
        assert socket.frame() == (CLOSE, payload)
        assert socket.gone_within(5)
    socket = known()
    socket.send(frame(TEXT, b"{", fin=False) + frame(CLOSE, b"\x03\xe8"))
    assert socket.close_code() == 1000
    for code in (1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999):
        ends(known, frame(CLOSE, code.to_bytes(2, "big")), code)
    for code in (0, 999, 1004, 1005, 1006, 1015, 1100, 2000, 2999):
        ends(known, frame(CLOSE, code.to_bytes(2, "big")), 1002)
    ends(known, frame(CLOSE, b"\x03"), 1002)
    ends(known, frame(CLOSE, b"\x03\xe8" + b"*" * 124), 1002)
    ends(known, frame(CLOSE, b"\x03\xe8\xce\xba\xe1\xbd\xb9\xed\xa0\x80"), 1007)


# ---- 12, 13: compression ----

def deflated(payload, level=9, bits=-15):
    packer = zlib.compressobj(level, zlib.DEFLATED, bits)
    return (packer.compress(payload) + packer.flush(zlib.Z_SYNC_FLUSH))[:-4]


def inflated(socket):
    """The next message; compressed or not."""
    head = None
    while not socket.buffer or head is None:
        if len(socket.buffer) < 2 and not socket._fill():
            return None
        head = socket.buffer[0]
    opcode, payload = socket.frame()
    assert opcode == TEXT
    if head & 0x40:
        payload = zlib.decompressobj(-15).decompress(payload + b"\x00\x00\xff\xff")
    return json.loads(payload)


@pytest.mark.parametrize("offer", [
    DEFLATE, f"{DEFLATE}; client_max_window_bits", f"{DEFLATE}; client_max_window_bits=9",
    f"{DEFLATE}; client_no_context_takeover; server_no_context_takeover",
    f"{DEFLATE}; server_max_window_bits=9, {DEFLATE}"])
def test_compression(known, offer):
    socket = known(Sec_WebSocket_Extensions=offer)
    bits = -9 if "client_max_window_bits=9" in offer else -15
    for size in (60, 1024, 131072, 1 << 19):
        for level in (0, 9):
            socket.send(frame(TEXT, deflated(message(size), level, bits), rsv=4))
            assert inflated(socket)["type"] == "pong"
        socket.send(cut(deflated(message(size), 9, bits), max(1, size // 500), rsv=4))
        assert inflated(socket)["type"] == "pong"
        socket.send(frame(TEXT, message(size)))
        assert inflated(socket)["type"] == "pong"
    final = zlib.compressobj(9, zlib.DEFLATED, -15)
    socket.send(frame(TEXT, final.compress(message(99)) + final.flush() + b"\x00", rsv=4))
    assert inflated(socket)["type"] == "pong"
    socket.send(frame(TEXT, b"\x00", rsv=4))
    assert inflated(socket)["code"] == "bad_message"


def test_compression_that_was_not_agreed_on(known):
    good = deflated(message(100))
    ends(known, frame(TEXT, good, rsv=4), 1002)
    ends(known, frame(TEXT, good, rsv=4), 1002,
         Sec_WebSocket_Extensions=f"{DEFLATE}; server_max_window_bits=9")
    for rsv in (1, 2, 5, 7):
        ends(known, frame(TEXT, good, rsv=rsv), 1002, Sec_WebSocket_Extensions=DEFLATE)
    ends(known, frame(PING, b"", rsv=4), 1002, Sec_WebSocket_Extensions=DEFLATE)
    ends(known, frame(TEXT, good[:9], fin=False, rsv=4) + frame(CONT, good[9:], rsv=4), 1002,
         Sec_WebSocket_Extensions=DEFLATE)
