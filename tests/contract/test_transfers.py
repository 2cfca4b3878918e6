"""docs/transfers.md against the table of services/transfer-svc/machine.c."""

import subprocess

from lib.daemon import ROOT


def test_the_drawn_table_is_fresh():
    check = subprocess.run([ROOT / "docs/draw_transfers.py", "--check"], check=False)
    assert check.returncode == 0, "docs/draw_transfers.py writes it anew"


def test_every_line_of_the_table_is_drawn():
    lines = (ROOT / "services/transfer-svc/machine.c").read_text().count("{STATE_")
    page = (ROOT / "docs/transfers.md").read_text()
    drawn = page.split("| in state |")[1].split("<!-- end")[0].count("\n|") - 1
    assert drawn == lines > 80
