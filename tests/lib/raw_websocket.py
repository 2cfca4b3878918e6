"""A WebSocket client down to the bytes, for what no decent library sends."""

import contextlib
import socket
import struct
import time

KEY = "dGhlIHNhbXBsZSBub25jZQ=="


def frame(opcode, payload=b"", fin=True, masked=True, rsv=0, mask=b"abcd"):
    head = bytes([(0x80 if fin else 0) | rsv << 4 | opcode])
    bit = 0x80 if masked else 0
    if len(payload) < 126:
        head += bytes([bit | len(payload)])
    elif len(payload) < 65536:
        head += bytes([bit | 126]) + struct.pack(">H", len(payload))
    else:
        head += bytes([bit | 127]) + struct.pack(">Q", len(payload))
    if not masked:
        return head + payload
    return head + mask + bytes(byte ^ mask[i % 4] for i, byte in enumerate(payload))


def request(path="/ws", host="test", **headers):
    fields = {"Host": host, "Upgrade": "websocket", "Connection": "Upgrade",
              "Sec-WebSocket-Key": KEY, "Sec-WebSocket-Version": "13"}
    fields |= {name.replace("_", "-"): value for name, value in headers.items()}
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items() if value is not None)
    return f"GET {path} HTTP/1.1\r\n{lines}\r\n".encode()


class RawSocket:
    def __init__(self, listen, timeout=10, receive_buffer=None):
        host, port = listen.rsplit(":", 1)
        self.socket = socket.socket()
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(timeout)
        self.socket.connect((host, int(port)))
        self.buffer = b""

    def send(self, data):
        self.socket.sendall(data)
        return self

    def _fill(self):
        data = self.socket.recv(65536)
        self.buffer += data
        return bool(data)

    def head(self):
        """The answer to the handshake, as text; "" when the server just closed."""
        while b"\r\n\r\n" not in self.buffer:
            if not self._fill():
                return ""
        head, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        return head.decode()

    def open(self, **headers):
        head = self.send(request(**headers)).head()
        assert head.startswith("HTTP/1.1 101 "), head
        return self

    def frame(self):
        """(opcode, payload) of the next frame; None at the end of the stream."""
        while True:
            found = self._parse()
            if found:
                return found
            if not self._fill():
                return None

    def _parse(self):
        if len(self.buffer) < 2:
            return None
        length, at = self.buffer[1] & 127, 2
        if length == 126:
            length, at = int.from_bytes(self.buffer[2:4], "big"), 4
        elif length == 127:
            length, at = int.from_bytes(self.buffer[2:10], "big"), 10
        if len(self.buffer) < at + length:
            return None
        opcode, payload = self.buffer[0] & 15, self.buffer[at:at + length]
        self.buffer = self.buffer[at + length:]
        return opcode, payload

    def close_code(self):
        """Reads on to the close frame and to the end of the stream."""
        code = None
        while True:
            try:
                found = self.frame()
            except ConnectionResetError:
                return code
            if found is None:
                return code
            if found[0] == 8 and code is None:
                code = int.from_bytes(found[1][:2], "big")
                with contextlib.suppress(OSError):  # the server may be gone already
                    self.socket.shutdown(socket.SHUT_WR)

    def gone_within(self, seconds):
        """True when the server ends the connection in time."""
        deadline = time.monotonic() + seconds
        self.socket.settimeout(seconds)
        try:
            while time.monotonic() < deadline:
                if not self._fill():
                    return True
        except ConnectionResetError:
            return True
        except socket.timeout:
            pass
        return False

    def close(self):
        self.socket.close()
