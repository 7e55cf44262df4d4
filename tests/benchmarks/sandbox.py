"""How many tunes the sandbox accepts at once and per second, and how much memory a large upload costs it.

Run ``python tests/benchmarks/sandbox.py [rounds [tunes [megabytes]]]``. The sandbox, the load and the upload
have a process each; the load is 16 persistent connections. The rate is compared with that of ``sink.py``, a
bare socket server that answers without reading what it is sent. Memory is the peak of the sandbox's process
(VmHWM).
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
MB = 10**6
PROMISED_RATIO, PROMISED_MB = 0.05, 60
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
        """Return its peak memory in bytes."""
        lines = Path(f"/proc/{self._pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))

    def upload(self, files: int, size: int) -> int:
        """Send files in one multipart body; return the status."""
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


def load(netloc: str, key: str, encoding: str, count: int) -> tuple[dict[str, int], float]:
    """Create tunes over 16 connections; return the number of answers of each status, and the seconds."""
    command = [sys.executable, FOLDER / "clients.py", netloc, key, encoding, str(count)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    statuses, seconds = json.loads(done.stdout)
    return statuses, seconds


@contextmanager
def sandbox() -> Iterator[Sandbox]:
    with subprocess.Popen(
        [sys.executable, "-c", SERVER], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield Sandbox(process)
        finally:
            process.terminate()


@contextmanager
def sink() -> Iterator[str]:
    with subprocess.Popen([sys.executable, FOLDER / "sink.py"], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            yield f"127.0.0.1:{process.stdout.readline().strip()}"
        finally:
            process.terminate()


def rates(tunes: int) -> tuple[float, float]:
    """Return the tunes per second of a new sandbox, and of the sink."""
    with sandbox() as service, sink() as netloc:
        load(service.netloc, service.key, "json", min(tunes, 100))
        created, seconds = load(service.netloc, service.key, "json", tunes)
        answered, bare_seconds = load(netloc, service.key, "json", tunes)
    return created.get("201", 0) / seconds, answered.get("201", 0) / bare_seconds


def memory(files: int, megabytes: int) -> float:
    """Return the MB that an upload adds to a sandbox that has received a small one."""
    with sandbox() as service:
        service.upload(1, 100_000)
        idle = service.peak()
        status = service.upload(files, megabytes * MB // files)
        assert status == 201, status
        return (service.peak() - idle) / MB


def main(rounds: int = 3, tunes: int = 1000, megabytes: int = 200) -> int:
    with sandbox() as service:
        forms, _ = load(service.netloc, service.key, "form", tunes)
    speeds = [rates(2 * tunes) for _ in range(rounds)]
    added = {files: memory(files, megabytes) for files in (20, 1)}
    speed, bare = (statistics.median(values) for values in zip(*speeds, strict=True))
    per_round = ", ".join(f"{ours:.0f}" for ours, _ in speeds)
    print(f"{f'{tunes:,} form tunes, 16 at once':<32}{forms}   promised: all 201")
    print(f"{'JSON tunes a second, median':<32}{speed:8.0f}     of each round {per_round}")
    print(f"{'answers of the sink a second':<32}{bare:8.0f}")
    print(f"{'sandbox / sink':<32}{speed / bare:8.2f}     promised: at least {PROMISED_RATIO}")
    for files, size in added.items():
        name = f"memory of {files} x {megabytes / files:g} MB"
        print(f"{name:<32}{size:8.1f} MB  promised: at most {PROMISED_MB} MB")
    is_kept = forms == {"201": tunes} and speed / bare >= PROMISED_RATIO
    return not (is_kept and max(added.values()) <= PROMISED_MB)


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
