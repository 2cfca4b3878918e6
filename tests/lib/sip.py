"""A SIP phone that rings and then refuses, with any final status: what baresip cannot do."""

import re
import socket
import threading
import time
import urllib.parse
import uuid

COPIED = ("via", "from", "call-id", "cseq")


class Refuser:
    """Listens at (host, 5060). status: "603 Decline". Never answers anything else than INVITE."""

    def __init__(self, host, status, ring_s=0.3):
        self.status, self.ring_s = status, ring_s
        self.refused_at, self.invite = None, None
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.settimeout(0.1)
        self._socket.bind((host, 5060))
        self._closed = False
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def shown_as(self):
        """The number of who calls, as the last INVITE asserts it."""
        return re.search(r"P-Asserted-Identity:.*?sip:([^@>]+)", self.invite)[1]

    def close(self):
        """The address is free afterwards: the socket is closed when nobody reads from it."""
        self._closed = True
        self._thread.join(5)
        self._socket.close()

    def _serve(self):
        known = set()
        while not self._closed:
            try:
                data, peer = self._socket.recvfrom(65536)
            except TimeoutError:
                continue
            except OSError:
                return
            text = data.decode(errors="replace")
            branch = next((line for line in text.split("\r\n") if line.startswith("Via:")), "")
            if text.startswith("INVITE ") and branch not in known:
                known.add(branch)
                self.invite = text
                self._answer(text, "180 Ringing", peer)
                time.sleep(self.ring_s)
                self.refused_at = int(time.time() * 1000)
                self._finally(text, peer)
            elif not text.startswith(("INVITE ", "ACK ", "SIP/2.0")):
                self._answer(text, "200 OK", peer)

    def _finally(self, request, peer):
        self._answer(request, self.status, peer)

    def _answer(self, request, status, peer, headers=(), body=""):
        lines = request.split("\r\n\r\n")[0].split("\r\n")[1:]
        kept = [line for line in lines if line.split(":")[0].strip().lower() in COPIED]
        to = next(line for line in lines if line.lower().startswith("to:"))
        to = to if ";tag=" in to else f"{to};tag=refuser"
        answer = [f"SIP/2.0 {status}", *kept, to, *headers, f"Content-Length: {len(body)}", "", body]
        self._socket.sendto("\r\n".join(answer).encode(), peer)


class Answerer(Refuser):
    """The same, but it takes the call, and says nothing more than OK to what follows."""

    def __init__(self, host):
        self.host = host
        super().__init__(host, "200 OK")

    def _finally(self, request, peer):
        body = (f"v=0\r\no=- 1 1 IN IP4 {self.host}\r\ns=-\r\nc=IN IP4 {self.host}\r\nt=0 0\r\n"
                "m=audio 40000 RTP/AVP 0\r\n")
        self._answer(request, self.status, peer, [f"Contact: <sip:answerer@{self.host}:5060>",
                                                  "Content-Type: application/sdp"], body)


class Forger:
    """A caller behind the trunk, at host, whose numbers hold what a number cannot: line breaks,
    and with them headers and events of its own. It gives up each call at once."""

    def __init__(self, host, pbx):
        self.host, self.pbx = host, pbx
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.settimeout(5)
        self._socket.bind((host, 5060))

    def close(self):
        self._socket.close()

    def call(self, caller, to):
        """Waits for the first answer to the INVITE: Asterisk has taken it."""
        caller, to = (urllib.parse.quote(text, safe="") for text in (caller, to))
        self._call_id = uuid.uuid4().hex
        body = (f"v=0\r\no=- 1 1 IN IP4 {self.host}\r\ns=-\r\nc=IN IP4 {self.host}\r\nt=0 0\r\n"
                "m=audio 40000 RTP/AVP 0\r\n")
        self._send("INVITE", caller, to, body)
        while self._call_id not in self._socket.recv(65536).decode(errors="replace"):
            pass
        self._send("CANCEL", caller, to)

    def _send(self, method, caller, to, body=""):
        lines = [f"{method} sip:{to}@{self.pbx}:5060 SIP/2.0",
                 f"Via: SIP/2.0/UDP {self.host}:5060;branch=z9hG4bK{self._call_id}",
                 "Max-Forwards: 70", f'From: "{caller}" <sip:{caller}@{self.host}>;tag=forger',
                 f"To: <sip:{to}@{self.pbx}>", f"Call-ID: {self._call_id}", f"CSeq: 1 {method}",
                 f"Contact: <sip:forger@{self.host}:5060>",
                 *(["Content-Type: application/sdp"] if body else []),
                 f"Content-Length: {len(body)}", "", body]
        self._socket.sendto("\r\n".join(lines).encode(), (self.pbx, 5060))
