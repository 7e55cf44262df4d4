"""What the sandbox and a stock Rails read of the same requests, and Rails of the client's three encodings.

`rails_parameters.rb` reads each request with Action Pack. On Debian: ``apt-get install ruby-actionpack
ruby-activemodel``.

    python tests/proofs/rails_parameters.py bodies 5000
    python tests/proofs/rails_parameters.py tunes 2000
"""

import json
import math
import os
import shutil
import subprocess
import sys
import tempfile
from base64 import b64encode
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from io import BytesIO
from pathlib import Path
from random import Random
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from astria_nb.sandbox._errors import Refusal
from astria_nb.sandbox._options import Options
from astria_nb.sandbox.params import Param, described
from astria_nb.sandbox.params.body_parser import Incoming, discard, read_params
from astria_nb.sandbox.uploads import Spool
from astria_nb.sandbox.validation import Fields
from proofs.rails_bodies import Request, request

PROGRAM = Path(__file__).with_suffix(".rb")
RUBY = os.environ.get("RAILS_RUBY", "ruby").split()


@cache
def missing() -> str | None:
    """Return what is missing to ask Rails; None if nothing is."""
    if shutil.which(RUBY[0]) is None:
        return "needs Ruby and Action Pack: apt-get install ruby-actionpack ruby-activemodel"
    script = "require 'active_support'; require 'action_controller'; require 'active_model'"
    if subprocess.run([*RUBY, "-W0", "-e", script], capture_output=True).returncode:
        return "needs Action Pack and Active Model: apt-get install ruby-actionpack ruby-activemodel"
    return None


def ask_rails(lines: Iterable[dict[str, Any]]) -> tuple[dict[str, str], list[dict[str, Any]]]:
    """Return the versions of Rails and Rack, and the answer to each line."""
    text = "".join(json.dumps(line) + "\n" for line in lines)
    done = subprocess.run(
        [*RUBY, "-W0", str(PROGRAM)], input=text, stdout=subprocess.PIPE, encoding="utf-8", check=True
    )
    versions, *answers = [json.loads(line) for line in done.stdout.split("\n") if line]
    return versions, answers


def line_of(sent: Request) -> dict[str, Any]:
    """Return a request as `rails_parameters.rb` reads it."""
    return {
        "content_type": sent.content_type,
        "query": sent.query.decode("latin-1"),
        "body": b64encode(sent.body).decode(),
        "wrapper": sent.wrapper,
        "method": sent.method,
    }


@dataclass
class Comparison:
    """How many requests were read alike, and which were not."""

    alike: int = 0
    refused_by_both: Counter[str] = field(default_factory=Counter)
    refused_by_rails: Counter[str] = field(default_factory=Counter)
    refused_by_sandbox: Counter[str] = field(default_factory=Counter)
    different: list[tuple[Request, object, object]] = field(default_factory=list)

    def add(self, sent: Request, rails: dict[str, Any], sandbox: object) -> None:
        """Compare two readings; the sandbox's is a `Refusal` if it refused."""
        reason = f"{rails.get('refused')} {rails.get('error')}"
        if isinstance(sandbox, Refusal):
            message = f"{sandbox.status} {str(sandbox.body['error']).split(':')[-1].strip()}"
            if "refused" in rails:
                self.refused_by_both[f"{reason} | {message}"] += 1
            else:
                self.refused_by_sandbox[message] += 1
        elif "refused" in rails:
            self.refused_by_rails[reason] += 1
        elif _text(rails["read"]) == _text(sandbox):
            self.alike += 1
        else:
            self.different.append((sent, rails["read"], sandbox))


def compare(count: int, seed: int) -> tuple[dict[str, str], Comparison]:
    """Let Rails and the sandbox read generated requests."""
    rng = Random(seed)
    requests = [request(rng) for _ in range(count)]
    versions, answers = ask_rails(map(line_of, requests))
    comparison = Comparison()
    with tempfile.TemporaryDirectory() as folder:
        spool = Spool(Path(folder) / "uploads")
        for sent, rails in zip(requests, answers, strict=True):
            comparison.add(sent, rails, sandbox_reads(sent, spool))
        spool.close()
    return versions, comparison


def sandbox_reads(sent: Request, spool: Spool) -> object:
    """Return the parameters that the sandbox reads, files as names, sizes and hashes; or its refusal."""
    options = Options()
    incoming = Incoming(BytesIO(sent.body), sent.content_type or "", sent.query, sent.method)
    try:
        params = read_params(incoming, spool, options, sent.wrapper)
        read = _comparable(described(params))
        discard(params)
        if sent.wrapper:
            Fields(params, sent.wrapper, options)
    except Refusal as refusal:
        return refusal
    return read


def _comparable(value: object) -> object:
    if isinstance(value, dict):
        is_file = value.keys() == {"filename", "content_type", "size", "sha256"}
        return {
            key: _comparable(item) for key, item in value.items() if not (is_file and key == "content_type")
        }
    if isinstance(value, list):
        return [_comparable(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return {"float": "Infinity" if value > 0 else "-Infinity"}
    return value


def _text(value: object) -> str:
    """Return what distinguishes two readings: 4 is not 4.0, and the order of keys does not matter."""
    return json.dumps(value, sort_keys=True)


def cases_of_casts() -> Iterator[tuple[str, Param]]:
    """Yield types and values that a column of that type may be given."""
    texts = (
        "4.0", " 12 ", "abc", "", " ", "1_000", "1__0", "_1", "+5", "-5x", "- 5", "0x10", "\u0661", "\t7\n",
        "1e3", "007", "true", "false", "False", "f", "F", "off", "OFF", "Off", "0", "no", "null", "9" * 30,
    )  # fmt: skip
    numbers = (0, 1, -1, 4.9, -2.9, 0.0, 1.0, 2**62, True, False, None)
    for kind in ("integer", "boolean"):
        for value in (*texts, *numbers):
            yield kind, value


def report(name: str, counts: Counter[str]) -> None:
    print(f"  {name}: {counts.total()}")
    for reason, count in counts.most_common():
        print(f"    {count:5} {reason}")


def main(what: str, count: int, seed: int) -> int:
    """Run a comparison, print its figures, and return how many readings differ."""
    if reason := missing():
        print(reason)
        return 1
    if what == "tunes":
        from proofs.rails_tunes import compare_tunes

        versions, differences = compare_tunes(count, seed)
        print(f"{versions}: {count} tunes in three encodings, {len(differences)} differ")
        for difference in differences[:10]:
            print("  ", difference)
        return len(differences)
    versions, comparison = compare(count, seed)
    print(f"{versions}: {count} requests, {comparison.alike} read alike, {len(comparison.different)} not")
    report("refused by both", comparison.refused_by_both)
    report("refused by Rails only", comparison.refused_by_rails)
    report("refused by the sandbox only", comparison.refused_by_sandbox)
    for sent, rails, sandbox in comparison.different[:10]:
        print(f"  {sent}\n    Rails   {_text(rails)}\n    sandbox {_text(sandbox)}")
    return len(comparison.different)


if __name__ == "__main__":
    what, count, *seed = sys.argv[1:]
    sys.exit(bool(main(what, int(count), int(seed[0]) if seed else 1)))
