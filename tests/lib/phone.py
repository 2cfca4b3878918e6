"""A real SIP phone (baresip, part phone@1001 of the stack), driven over its control socket."""

import json
import socket
import threading
import time

CONTROL_PORT = 4444


def address(net, extension):
    return f"{net}.{int(extension) - 900}"


class Phone:
    """Every event is kept in .events as (monotonic time, dict), from the connection on; its "at" is
    the same moment in Unix ms.

    on_event, if given, is called with (phone, event) in the thread that reads.
    """

    def __init__(self, net, extension, on_event=None):
        self.extension, self.registrar, self.on_event = str(extension), f"{net}.1", on_event
        self.events, self._changed = [], threading.Condition()
        self._socket = socket.create_connection((address(net, extension), CONTROL_PORT), 5)
        self._socket.settimeout(None)
        threading.Thread(target=self._read, daemon=True).start()

    def close(self):
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self._socket.close()

    # --- what a person does

    def dial(self, number):
        self._command("dial", f"sip:{number}@{self.registrar}")

    def answer(self):
        self._command("accept")

    def hangup(self):
        """A call that rings is refused as busy."""
        self._command("hangup")

    def hold(self):
        self._command("hold")

    def resume(self):
        self._command("resume")

    def transfer(self, number):
        """By the phone itself: REFER."""
        self._command("transfer", f"sip:{number}@{self.registrar}")

    def press(self, digits):
        for digit in digits:
            self._command("sndcode", digit)
            time.sleep(0.12)
            self._command("sndcode", "\x04")
            time.sleep(0.08)

    # --- what it sees and hears

    def wait(self, *kinds, since=0.0, timeout=10):
        """The first event of one of these types ("CALL_INCOMING") at or after that time."""
        deadline = time.monotonic() + timeout
        with self._changed:
            while True:
                for at, event in self.events:
                    if at >= since and event.get("type") in kinds:
                        return event
                left = deadline - time.monotonic()
                seen = [event.get("type") for _, event in self.events]
                assert left > 0, \
                    f"phone {self.extension}: no {' or '.join(kinds)} in {timeout} s; it saw {seen}"
                self._changed.wait(left)

    def rings(self, since=0.0, timeout=10):
        return self.wait("CALL_INCOMING", since=since, timeout=timeout)

    def talks(self, since=0.0, timeout=10):
        return self.wait("CALL_ESTABLISHED", since=since, timeout=timeout)

    def is_free(self, since=0.0, timeout=10):
        return self.wait("CALL_CLOSED", since=since, timeout=timeout)

    # --- the control socket: JSON in netstrings, both ways

    def _command(self, command, parameters=""):
        text = json.dumps({"command": command, "params": parameters}).encode()
        self._socket.sendall(b"%d:%s," % (len(text), text))

    def _read(self):
        buffer = b""
        while True:
            try:
                data = self._socket.recv(65536)
            except OSError:
                return
            if not data:
                return
            buffer = self._messages(buffer + data)

    def _messages(self, buffer):
        """Takes whole messages off the front of the buffer, returns the rest."""
        while b":" in buffer:
            length, _, rest = buffer.partition(b":")
            size = int(length)
            if len(rest) <= size:
                break
            self._message(rest[:size])
            buffer = rest[size + 1:]
        return buffer

    def _message(self, text):
        message = json.loads(text.decode(errors="replace"))
        if not message.get("event"):
            return
        message["at"] = int(time.time() * 1000)
        with self._changed:
            self.events.append((time.monotonic(), message))
            self._changed.notify_all()
        if self.on_event:
            self.on_event(self, message)
