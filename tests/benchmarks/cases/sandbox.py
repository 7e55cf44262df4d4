"""How many tunes the sandbox accepts a second, and how much memory a large upload costs it.

The sandbox, the load and the upload have a process each; the load is 16 persistent connections. The peer is a
bare socket server that answers without reading what it is sent.
"""

from typing import Any

from benchmarks.protocol import Case, Figure

SERVER = """
import sys
from astria_nb.sandbox import SandboxServer
with SandboxServer() as sandbox:
    print(sandbox.url, sandbox.api_key, flush=True)
    sys.stdin.read()
"""


class Sandbox:
    """A sandbox in a process of its own."""

    def __enter__(self) -> "Sandbox":
        import subprocess
        import sys

        pipe = subprocess.PIPE
        self.process = subprocess.Popen(  # -P: not of the folder that this runs in
            [sys.executable, "-P", "-c", SERVER], stdin=pipe, stdout=pipe, text=True
        )
        assert self.process.stdout
        url, self.key = self.process.stdout.readline().split()
        self.netloc = url.removeprefix("http://")
        return self

    def __exit__(self, *_: object) -> None:
        self.process.communicate()

    def peak(self) -> int:
        """Return its peak memory in bytes."""
        from pathlib import Path

        lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))

    def upload(self, files: int, size: int) -> None:
        """Send files in one multipart body."""
        import http.client
        import io

        from PIL import Image

        photo = io.BytesIO()
        Image.new("RGB", (64, 64)).save(photo, "JPEG")
        content = photo.getvalue() + bytes(size - len(photo.getvalue()))
        head = b'--b\r\nContent-Disposition: form-data; name="tune[%s]"%s\r\n\r\n%s\r\n'
        text = [head % (name, b"", value) for name, value in ((b"title", b"t"), (b"name", b"cat"))]
        image = head % (b"images][", b'; filename="1.jpg"', content)
        pieces = [*text, *[image] * files, b"--b--\r\n"]
        connection = http.client.HTTPConnection(self.netloc, timeout=120)
        headers = {
            "Authorization": f"Bearer {self.key}",
            "Content-Type": "multipart/form-data; boundary=b",
            "Content-Length": str(sum(map(len, pieces))),
        }
        connection.request("POST", "/p/797/tunes", iter(pieces), headers)
        assert connection.getresponse().status == 201
        connection.close()


def load(netloc: str, key: str, encoding: str, count: int) -> float:
    """Create tunes over 16 connections, and return how many a second."""
    import json
    import subprocess
    import sys
    from pathlib import Path

    program = Path(__file__).parents[1] / "clients.py"
    command = [sys.executable, program, netloc, key, encoding, str(count)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    statuses, seconds = json.loads(done.stdout)
    assert statuses == {"201": count}
    return count / float(seconds)


def peer(tunes: int, megabytes: int) -> dict[str, Any]:
    from benchmarks.services import serving

    with serving("sink.py") as url:
        return {"rate": load(url.removeprefix("http://"), "sd_benchmark", "json", tunes)}


def ours(tunes: int, megabytes: int) -> dict[str, Any]:
    with Sandbox() as sandbox:
        load(sandbox.netloc, sandbox.key, "form", min(tunes, 100))
        rate = load(sandbox.netloc, sandbox.key, "json", tunes)
    added = {}
    for files in (20, 1):
        with Sandbox() as sandbox:
            sandbox.upload(1, 100_000)
            idle = sandbox.peak()
            sandbox.upload(files, megabytes * 10**6 // files)
            added[f"in {files}"] = sandbox.peak() - idle
    return {"rate": rate, **added}


CASE = Case(
    what="JSON tunes that the sandbox accepts a second, and large uploads to it",
    against="a server that answers without reading",
    ours=ours,
    peer=peer,
    figures=(
        Figure("rate", "tunes a second", least=0.05, unit=""),
        Figure("rate", "tunes a second, beside an earlier build", least=1.2, beside="today", unit=""),
        Figure("in 20", "memory added by an upload of 20 files", most=60e6, beside=None, unit="B"),
        Figure("in 1", "the same, one file", most=60e6, beside=None, unit="B"),
    ),
    sizes={"tunes": 2000, "megabytes": 200},
    small={"tunes": 20, "megabytes": 2},
    rounds=5,
)
