"""How many tunes the sandbox takes at once and each second, and what memory a large upload costs it.

Run ``python tests/benchmarks/sandbox.py``. The sandbox, the load and the upload have a process each; the
load is 16 connections that are kept. Memory is the sandbox process's own highest mark (VmHWM).
"""

import http.client
import io
import json
import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image

FOLDER, ROOT = Path(__file__).parent, Path(__file__).parents[2]
TUNES, MB = 1_000, 10**6
PROMISED_PER_SECOND, PROMISED_MB = 500, 60
UPLOAD_MB = 200
SERVER = """
import sys
from astria_nb.sandbox import SandboxServer
with SandboxServer() as sandbox:
    print(sandbox.url, sandbox.api_key, flush=True)
    sys.stdin.read()
"""


class Sandbox:
    """A sandbox in a process of its own."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout
        self._pid = process.pid
        url, self.key = process.stdout.readline().split()
        self.netloc = url.removeprefix("http://")

    def peak(self) -> int:
        """Return the most memory that it has had, in bytes."""
        lines = Path(f"/proc/{self._pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))

    def load(self, encoding: str, count: int) -> tuple[dict[str, int], float]:
        """Create tunes from 16 connections; return how often each status came, and the seconds."""
        command = [sys.executable, FOLDER / "clients.py", self.netloc, self.key, encoding, str(count)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        statuses, seconds = json.loads(done.stdout)
        return statuses, seconds

    def upload(self, files: int, size: int) -> int:
        """Send that many files of that size in one multipart body; return the status."""
        photo = io.BytesIO()
        Image.new("RGB", (64, 64)).save(photo, "JPEG")
        filler = photo.getvalue() + bytes(size - len(photo.getvalue()))
        head = b'--b\r\nContent-Disposition: form-data; name="%s"%s\r\n\r\n%s\r\n'
        text = [
            head % (b"tune[%s]" % name, b"", value) for name, value in ((b"title", b"t"), (b"name", b"cat"))
        ]
        image = head % (b"tune[images][]", b'; filename="1.jpg"', filler)
        pieces = [*text, *[image] * files, b"--b--\r\n"]
        connection = http.client.HTTPConnection(self.netloc, timeout=120)
        headers = {
            "Authorization": f"Bearer {self.key}",
            "Content-Type": "multipart/form-data; boundary=b",
            "Content-Length": str(sum(map(len, pieces))),
        }
        connection.request("POST", "/p/797/tunes", iter(pieces), headers)
        response = connection.getresponse()
        response.read()
        connection.close()
        return response.status


@contextmanager
def sandbox() -> Iterator[Sandbox]:
    with subprocess.Popen(
        [sys.executable, "-c", SERVER], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield Sandbox(process)
        finally:
            process.terminate()


def memory(files: int) -> float:
    """Return the MB that an upload of 200 MB adds to a sandbox that has met a small one."""
    with sandbox() as service:
        service.upload(1, 100_000)
        idle = service.peak()
        status = service.upload(files, UPLOAD_MB * MB // files)
        assert status == 201, status
        return (service.peak() - idle) / MB


def main(rounds: int = 3) -> int:
    with sandbox() as service:
        forms, _ = service.load("form", TUNES)
    speeds = []
    for _ in range(rounds):
        with sandbox() as service:
            service.load("json", 100)
            created, seconds = service.load("json", 2 * TUNES)
            speeds.append(created.get("201", 0) / seconds)
    added = {files: memory(files) for files in (20, 1)}
    speed = statistics.median(speeds)
    print(f"{'1,000 form tunes, 16 at once':<32}{forms}   promised: all 201")
    print(f"{'JSON tunes a second, median':<32}{speed:8.0f}     promised: at least {PROMISED_PER_SECOND}")
    print(f"{'  of each round':<32}{', '.join(f'{each:.0f}' for each in speeds)}")
    for files, each in added.items():
        name = f"memory of {files} x {UPLOAD_MB // files} MB"
        print(f"{name:<32}{each:8.1f} MB  promised: at most {PROMISED_MB} MB")
    kept = forms == {"201": TUNES} and speed >= PROMISED_PER_SECOND and max(added.values()) <= PROMISED_MB
    return not kept


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
