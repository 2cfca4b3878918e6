"""The demo is the shortest proof of everything, so it is a test too."""

import subprocess

from lib.stack import ROOT


def test_all_of_it_happens(stack):
    done = subprocess.run([ROOT / "deploy/local/demo"], env=stack.environment, text=True,
                          capture_output=True, timeout=600)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    for kind in ("originating", "ringing", "established", "held", "unheld", "transferred", "ended"):
        assert f"call:{kind}" in done.stdout
    assert "All of it happened" in done.stdout
    assert (stack.run / "secrets/superuser").read_text() not in done.stdout
