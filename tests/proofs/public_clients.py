"""Replay the public clients of the API against the sandbox, and print client, call and outcome.

python tests/proofs/public_clients.py [CLIENT ...]

Each client is replayed by a program of our own, which makes the same requests in the same order: method,
path, headers, encoding, fields, polling, and what it reads of the answers. docs/astria-api.md names the
clients. curl, Node's `fetch` and Python's requests send; a sandbox with its default options answers.
"""

import argparse
import io
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

sys.path.insert(0, str(Path(__file__).parent.parent))

from astria_nb.sandbox import SandboxServer
from proofs.clients.command_line import Cli, Mcp
from proofs.clients.desk import PublicClient
from proofs.clients.photopea import Photopea, PhotopeaPlugin
from proofs.clients.prismalab import Prismalab
from proofs.clients.web_apps import Aiportret, Dmitrii, Keene, Vibephoto
from proofs.clients.web_apps_of_the_service import Imagine, Starter
from sandbox.callbacks.test_callbacks import Receiver
from sandbox.conformance.programs import opened

CLIENTS: dict[str, type[PublicClient]] = {
    "cli": Cli,
    "mcp": Mcp,
    "starter": Starter,
    "imagine": Imagine,
    "photopea": Photopea,
    "pp": PhotopeaPlugin,
    "prismalab": Prismalab,
    "vibephoto": Vibephoto,
    "aiportret": Aiportret,
    "11keene": Keene,
    "dmitrii": Dmitrii,
}


@dataclass(frozen=True)
class Outcome:
    """What became of one call of a client; the problem is empty if it did what the client expects."""

    client: str
    call: str
    problem: str = ""


class _Server(Receiver):
    """A client's own server. What a sandbox that is stopped breaks off is not an error."""

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing."""


def play(names: Sequence[str] = tuple(CLIENTS)) -> Iterator[Outcome]:
    """Play all calls of some clients; `LookupError` says that a program is not installed."""
    with ExitStack() as stack:
        receiver = stack.enter_context(_Server())
        thread = threading.Thread(target=receiver.serve_forever, args=(0.02,))
        thread.start()
        stack.callback(thread.join)
        stack.callback(receiver.shutdown)
        needed = {CLIENTS[name].program for name in names}
        programs = {name: stack.enter_context(opened(name)) for name in sorted(needed)}
        for name in names:
            with SandboxServer(deterministic=True) as sandbox:
                client = CLIENTS[name](sandbox, programs, receiver, _photo())
                for call in client.calls():
                    yield Outcome(name, call, _problem(client, call))


def _problem(client: PublicClient, call: str) -> str:
    try:
        getattr(client, call)()
    except Exception as error:  # noqa: BLE001  the table tells it, and the next calls are played
        return f"{type(error).__name__}: {error}"
    return ""


def _photo() -> bytes:
    file = io.BytesIO()
    Image.effect_noise((640, 640), 80).convert("RGB").save(file, "JPEG")
    return file.getvalue()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("clients", nargs="*", default=list(CLIENTS), help=f"of {', '.join(CLIENTS)}")
    names = parser.parse_args().clients
    outcomes = []
    for outcome in play(names):
        outcomes.append(outcome)
        text = outcome.call.replace("_", " ")
        print(f"{outcome.client:10}  {text:44}  {outcome.problem or 'ok'}", flush=True)
    failed = sum(bool(outcome.problem) for outcome in outcomes)
    print(f"{len(outcomes) - failed} of {len(outcomes)} calls of {len(names)} clients")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
