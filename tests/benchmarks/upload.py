"""How long an upload takes beside ``curl -F``, and how much memory it adds.

Run ``python tests/benchmarks/upload.py [rounds [kilobytes]]``. Both send the same 20 photos of 10 MB to a
sink on loopback, in turn; ours removes the location from each, curl sends it along. Ours is timed from
opening the first file to the parsed answer, in a process that has imported everything; curl as a whole
process, which starts in a few milliseconds. What curl does not do is timed separately: we hash each file for
the log, which on a connection as fast as this one ends after the upload.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image

PROMISED_RATIO, PROMISED_MB = 1.25, 8
ROOT, FOLDER = Path(__file__).parents[2], Path(__file__).parent
KB, MB = 10**3, 10**6
# For each line that it reads, uploads once and prints the seconds and the most memory it has had.
CLIENT = """
import json, sys, time
import astria_nb as anb
import astria_nb.submission._submit
from astria_nb.images import Preprocessing
from astria_nb.tune._encoding import encode
def peak():
    return next(int(line.split()[1]) * 1024 for line in open("/proc/self/status") if line.startswith("VmHWM"))
client = anb.Client("sd_benchmark", base_url=sys.argv[1])
images = anb.Tune(pack=43, title="t", name="man", images=sys.argv[2:]).images
tune = anb.Tune(pack=43, title="t", name="man", images=images)
client.create_tune(43, encode(anb.Tune(pack=43, title="t", name="man", image_urls=["https://e.com/1.jpg"])))
idle = peak()
print("ready", flush=True)
for _ in sys.stdin:
    started = time.perf_counter()
    with encode(tune, preprocessing=Preprocessing(keep_damaged=True)) as body:
        client.create_tune(43, body)
        request = time.perf_counter() - started
        assert all(body.image_sha256)
    print(json.dumps([request, time.perf_counter() - started, peak() - idle]), flush=True)
"""


@contextmanager
def sink() -> Iterator[str]:
    with subprocess.Popen([sys.executable, FOLDER / "sink.py"], stdout=subprocess.PIPE, text=True) as process:
        try:
            yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
        finally:
            process.terminate()


def photos(folder: Path, count: int, size: int) -> list[Path]:
    """Make JPEG files with a location, whose data is noise: as dense as that of real photos."""
    exif = Image.Exif()
    exif.get_ifd(0x8825).update({1: "N", 2: (52.0, 30.0, 1.0), 3: "E", 4: (13.0, 22.0, 2.0)})
    paths = [folder / f"{number}.jpg" for number in range(count)]
    for path in paths:
        Image.new("RGB", (64, 64)).save(path, exif=exif)
        head, end = path.read_bytes()[:-2], b"\xff\xd9"
        noise = os.urandom(size).replace(b"\xff", b"\xff\x00")[: size - len(head) - len(end)]
        path.write_bytes(head + noise.removesuffix(b"\xff") + end)
    return paths


class Ours:
    """A process that uploads on demand."""

    def __init__(self, url: str, paths: list[Path]) -> None:
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "NO_PROXY": "*"}
        self.started = time.perf_counter()
        self._process = subprocess.Popen(
            [sys.executable, "-c", CLIENT, url, *paths],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout.readline() == "ready\n"

    def upload(self) -> tuple[float, float, float]:
        """Return the seconds of the request and until the hashes are known, and the bytes of memory added."""
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        request, hashed, added = json.loads(self._process.stdout.readline())
        return request, hashed, added

    def close(self) -> None:
        self._process.stdin.close()
        self._process.wait()


def by_curl(url: str, paths: list[Path]) -> float:
    files = [part for path in paths for part in ("-F", f"tune[images][]=@{path}")]
    command = [
        "curl",
        "-sf",
        "--noproxy",
        "*",
        "-o",
        os.devnull,
        "-F",
        "tune[title]=t",
        "-F",
        "tune[name]=man",
    ]
    started = time.perf_counter()
    subprocess.run([*command, *files, f"{url}/p/43/tunes"], check=True)
    return time.perf_counter() - started


def whole_process(url: str, paths: list[Path]) -> float:
    client = Ours(url, paths)
    client.upload()
    client.close()
    return time.perf_counter() - client.started


def memory(url: str, paths: list[Path]) -> float:
    """Return the MB that one upload adds to a client that has sent only a small request."""
    client = Ours(url, paths)
    *_, added = client.upload()
    client.close()
    return added / MB


def main(rounds: int = 11, kilobytes: int = 10_000) -> int:
    with tempfile.TemporaryDirectory() as folder, sink() as url:
        paths = photos(Path(folder), 20, kilobytes * KB)
        client = Ours(url, paths)
        client.upload()
        by_curl(url, paths)
        turns = [(*client.upload()[:2], by_curl(url, paths)) for _ in range(rounds)]
        client.close()
        ours, hashed, curl = (statistics.median(durations) for durations in zip(*turns, strict=True))
        whole = statistics.median(whole_process(url, paths) for _ in range(min(rounds, 3)))
        added = {20 * times * kilobytes / 1000: memory(url, paths * times) for times in (1, 5)}
    print(f"20 x {kilobytes / 1000:g} MB on loopback, medians of {rounds} alternating rounds")
    print(f"{'curl -F, process':<28}{curl:8.3f} s")
    print(f"{'astria_nb, request':<28}{ours:8.3f} s")
    print(f"{'astria_nb, with hashes':<28}{hashed:8.3f} s   until the SHA-256 of every file is known too")
    print(f"{'astria_nb, process':<28}{whole:8.3f} s   with the interpreter, imports and reading each file")
    print(f"{'request / curl':<28}{ours / curl:8.2f}     promised: at most {PROMISED_RATIO}")
    for size, megabytes in added.items():
        name = f"memory added at {size:g} MB"
        print(f"{name:<28}{megabytes:8.1f} MB  promised: at most {PROMISED_MB} MB")
    return ours / curl > PROMISED_RATIO or max(added.values()) > PROMISED_MB


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
