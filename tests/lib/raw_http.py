"""HTTP by hand, for what no client library would send."""

import json
import socket
import time


class Reply:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def code(self):
        return self.json["error"]["code"]


class RawHttp:
    """One connection to "address:port"."""

    def __init__(self, listen, timeout=10):
        host, port = listen.rsplit(":", 1)
        self.socket = socket.create_connection((host.strip("[]"), int(port)), timeout)
        self._rest = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data.encode("latin-1") if isinstance(data, str) else data)

    def get(self, path, headers="", method="GET"):
        self.send(f"{method} {path} HTTP/1.1\r\nHost: h\r\n{headers}\r\n")
        return self.reply(method != "HEAD")

    def post(self, path, body, headers="Content-Type: application/json\r\n"):
        body = body if isinstance(body, bytes) else body.encode()
        self.send(f"POST {path} HTTP/1.1\r\nHost: h\r\n{headers}"
                  f"Content-Length: {len(body)}\r\n\r\n".encode() + body)
        return self.reply()

    def _more(self):
        data = self.socket.recv(65536)
        if not data:
            raise EOFError(self._rest)
        self._rest += data

    def reply(self, has_body=True):
        """The next reply, read by its Content-Length; EOFError when the server cuts instead."""
        while b"\r\n\r\n" not in self._rest:
            self._more()
        head, self._rest = self._rest.split(b"\r\n\r\n", 1)
        lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip()
                   for name, value in (line.split(":", 1) for line in lines[1:])}
        length = int(headers.get("content-length", 0)) if has_body else 0
        while len(self._rest) < length:
            self._more()
        body, self._rest = self._rest[:length], self._rest[length:]
        return Reply(int(lines[0].split()[1]), headers, body)

    def closed(self, timeout=10):
        """True when the server ends the connection within that time."""
        self.socket.settimeout(timeout)
        deadline = time.monotonic() + timeout
        try:
            while time.monotonic() < deadline:
                if not self.socket.recv(65536):
                    return True
        except ConnectionResetError:
            return True
        except TimeoutError:
            pass
        return False
