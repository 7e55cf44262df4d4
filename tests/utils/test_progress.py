"""Progress of a blocking call, in a real terminal."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import termios
from pathlib import Path

import pytest

from helpers.forked_kernels import python
from helpers.waiting import PATIENCE

WORK = """
import astria_nb as anb, pandas as pd
with anb.Sandbox(speed=2000) as sandbox:
    client = sandbox.client()
    tune = anb.Tune(pack=797, name="cat", title="mine", image_urls=["https://example.com/1.jpg"])
    row = anb.wait(anb.submit(tune, client), client, until="prompts", poll=0.2)
    anb.download(row, client, "pictures")
    image_urls = [["https://example.com/2.jpg"]]
    anb.submit_many(pd.DataFrame({"key": range(7), "pack": 797, "name": "cat", "image_urls": image_urls * 7}),
                    client, rate=4)
    print("the end")
"""


def lines_of(code: str, columns: int, folder: Path) -> list[str]:
    """Run a program in a terminal of that many columns, and return each line that it drew."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    environment = {key: value for key, value in os.environ.items() if key not in ("COLUMNS", "LINES")}
    program = subprocess.Popen(
        [*python(), "-c", code], stdin=theirs, stdout=theirs, stderr=theirs, cwd=folder, env=environment
    )
    os.close(theirs)
    drawn = b""
    while True:
        try:
            drawn += os.read(ours, 65536)
        except OSError:  # the program has closed the terminal
            break
    os.close(ours)
    assert program.wait(PATIENCE) == 0, drawn.decode()
    return [line for line in re.split(r"[\r\n]+(?:\033\[K)?", drawn.decode()) if line]


@pytest.mark.parametrize("columns", [50, 120])
def test_one_line_is_drawn_over_and_over_and_stays_with_the_end(columns: int, tmp_path: Path) -> None:
    lines = lines_of(WORK, columns, tmp_path)
    assert all(len(line) < columns for line in lines)
    *_, waited = (line for line in lines if line.startswith("Waiting for 1 tune"))
    *_, downloaded = (line for line in lines if line.startswith("Downloading 8 pictures"))
    submitting = [line for line in lines if line.startswith("Submitting: ")]
    assert re.search(r": 100% 7 of 7 done · \$[\d.]+$", submitting[-1])
    assert any(re.search(r"[1-6] of 7 done.* · \$[\d.]+( of about \$[\d.]+)?$", line) for line in submitting)
    assert ("waiting" in "".join(submitting)) == (columns == 120)  # it matters less than what it costs
    if columns == 120:
        assert re.search(r"100% 1 trained, 8 of 8 prompts done · \d+ s elapsed$", waited)
        assert re.search(r"100% 8 of 8 pictures · [\d.]+ [kM]B · kept by the service until ", downloaded)
    else:
        assert re.match(r"Waiting for 1 tune to have all pictures: 100% .*…$", waited)
        assert re.match(r"Downloading 8 pictures: 100% 8 of 8 .*…$", downloaded)
    assert lines[-1] == "the end"
