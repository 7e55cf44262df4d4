"""Three programs that send requests: cURL, Node's `fetch` and Python's `requests`, each in its own way."""

import itertools
import json
import shutil
import subprocess
from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal, Protocol

import requests

TIMEOUT = 20
Pair = tuple[str, "str | File"]


@dataclass(frozen=True)
class File:
    """A file to upload."""

    name: str
    content: bytes


@dataclass(frozen=True)
class Call:
    """One request, before a program has written it."""

    method: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    encoding: Literal["", "multipart", "form", "json", "raw"] = ""
    fields: object = None
    """Nested data, with `File`s in a multipart form; a list of pairs is a form as it stands; raw is bytes."""

    @property
    def pairs(self) -> list[Pair]:
        """The fields as a form's keys and values."""
        return self.fields if isinstance(self.fields, list) else list(flat(self.fields))


@dataclass(frozen=True)
class Answer:
    """The answer; header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Broken(Exception):  # noqa: N818 - named as the test says it
    """The connection ended before the answer did."""


class Program(Protocol):
    """Something that makes requests, one after the other."""

    def send(self, url: str, *calls: Call) -> list[Answer]: ...


def flat(value: object, key: str = "") -> Iterator[Pair]:
    """Write nested data in the spelling of Rails: `a[b]`, `a[]`, `a[][b]`; numbers as keys make `a[0]`."""
    if isinstance(value, Mapping):
        for name, item in value.items():
            yield from flat(item, f"{key}[{name}]" if key else str(name))
    elif isinstance(value, list):
        for item in value:
            yield from flat(item, f"{key}[]")
    elif value is not None:
        yield key, value if isinstance(value, File) else str(value)


class Curl:
    """The command line: `-F`, `--data-urlencode`, `--data-binary`; a process for some requests."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._numbers = itertools.count()

    def send(self, url: str, *calls: Call) -> list[Answer]:
        answers = [(self._file(), self._file()) for _ in calls]
        command = ["curl", "-q", "--fail-early"]
        for call, (head, body) in zip(calls, answers, strict=True):
            command += ["-sS", "--noproxy", "*", "--globoff", "-m", str(TIMEOUT), "-X", call.method]
            command += [part for pair in call.headers.items() for part in ("-H", ": ".join(pair))]
            command += [*self._content(call), "-D", str(head), "-o", str(body), url + call.path, "--next"]
        done = subprocess.run(command[:-1], stdin=subprocess.DEVNULL, capture_output=True)
        if done.returncode:
            raise Broken(done.stderr.decode())
        return [_read(head, body) for head, body in answers]

    def _content(self, call: Call) -> list[str]:
        if call.encoding == "multipart":
            return [part for pair in call.pairs for part in ("-F", self._part(*pair))]
        if call.encoding == "form":
            return [part for key, value in call.pairs for part in ("--data-urlencode", f"{key}={value}")]
        if call.encoding == "json":
            path = self._file(_json(call))
            return ["-H", "Content-Type: application/json", "--data-binary", f"@{path}"]
        return ["--data-binary", f"@{self._file(call.fields)}"] if call.encoding == "raw" else []

    def _part(self, key: str, value: "str | File") -> str:
        if isinstance(value, str):
            return f"{key}={_quoted(value)}"
        return f"{key}=@{self._file(value.content)};filename={_quoted(value.name)}"

    def _file(self, content: object = b"") -> Path:
        path = self._folder / str(next(self._numbers))
        path.write_bytes(content)  # type: ignore[arg-type]
        return path


class Node:
    """`fetch` with `FormData`, `URLSearchParams` or JSON, in one process that reads a call a line."""

    _SCRIPT = """
    const bytes = text => Buffer.from(text, 'base64');
    function body(call) {
      if (call.encoding === 'json') return call.json;
      if (call.encoding === 'raw') return bytes(call.raw);
      const form = call.encoding === 'form' ? new URLSearchParams() : new FormData();
      for (const [key, value, name] of call.pairs)
        name === undefined ? form.append(key, value) : form.append(key, new Blob([bytes(value)]), name);
      return form;
    }
    async function answer(call) {
      const options = { method: call.method, headers: call.headers, redirect: 'manual' };
      if (call.encoding) options.body = body(call);
      const reply = await fetch(call.url, options);
      const content = Buffer.from(await reply.arrayBuffer()).toString('base64');
      return { status: reply.status, headers: [...reply.headers], body: content };
    }
    require('readline').createInterface({ input: process.stdin }).on('line', async line => {
      const found = await answer(JSON.parse(line)).catch(error => ({ broken: String(error.cause ?? error) }));
      process.stdout.write(JSON.stringify(found) + '\\n');
    });
    """

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            ["node", "-e", self._SCRIPT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )

    def send(self, url: str, *calls: Call) -> list[Answer]:
        return [self._send(url, call) for call in calls]

    def _send(self, url: str, call: Call) -> Answer:
        assert self._process.stdin
        assert self._process.stdout
        message = {"url": url + call.path, "method": call.method, "headers": dict(call.headers)}
        message["encoding"] = call.encoding
        if call.encoding == "json":
            message["json"] = _json(call).decode()
            message["headers"] = {"Content-Type": "application/json"} | dict(call.headers)
        elif call.encoding == "raw":
            message["raw"] = b64encode(call.fields).decode()  # type: ignore[arg-type]
        elif call.encoding:
            message["pairs"] = [self._part(key, value) for key, value in call.pairs]
        self._process.stdin.write(json.dumps(message) + "\n")
        answer = json.loads(self._process.stdout.readline())
        if "broken" in answer:
            raise Broken(answer["broken"])
        return Answer(answer["status"], _lower(answer["headers"]), b64decode(answer["body"]))

    @staticmethod
    def _part(key: str, value: "str | File") -> list[str]:
        return (
            [key, value] if isinstance(value, str) else [key, b64encode(value.content).decode(), value.name]
        )

    def close(self) -> None:
        self._process.communicate()


class Requests:
    """A `requests` session: `files=`, `data=`, `json=`."""

    def __init__(self) -> None:
        self._session = requests.Session()
        self._session.trust_env = False

    def send(self, url: str, *calls: Call) -> list[Answer]:
        return [self._send(url, call) for call in calls]

    def _send(self, url: str, call: Call) -> Answer:
        content: dict[str, object] = {}
        if call.encoding == "multipart":
            parts = [(key, (None, v) if isinstance(v, str) else (v.name, v.content)) for key, v in call.pairs]
            content = {"files": parts}
        elif call.encoding:
            data = call.pairs if call.encoding == "form" else call.fields
            content = {"json" if call.encoding == "json" else "data": data}
        try:
            reply = self._session.request(
                call.method, url + call.path, headers=call.headers, timeout=TIMEOUT,
                allow_redirects=False, **content,
            )  # type: ignore[arg-type] # fmt: skip
        except requests.RequestException as error:
            raise Broken(str(error)) from error
        return Answer(reply.status_code, _lower(reply.headers.items()), reply.content)

    def close(self) -> None:
        self._session.close()


PROGRAMS = ("curl", "node", "requests")


@contextmanager
def opened(name: str) -> Iterator[Program]:
    """Start a program; `LookupError` says that it is not installed."""
    if name != "requests" and shutil.which(name) is None:
        raise LookupError(f"{name} is not installed")
    if name == "curl":
        with TemporaryDirectory() as folder:
            yield Curl(Path(folder))
        return
    program = Node() if name == "node" else Requests()
    try:
        yield program
    finally:
        program.close()


def _json(call: Call) -> bytes:
    return json.dumps(call.fields).encode()


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _read(head: Path, body: Path) -> Answer:
    first, *lines = head.read_bytes().decode().strip().split("\r\n\r\n")[-1].split("\r\n")
    return Answer(int(first.split()[1]), _lower(line.split(": ", 1) for line in lines), body.read_bytes())


def _lower(pairs: object) -> dict[str, str]:
    return {name.lower(): value for name, value in pairs}  # type: ignore[attr-defined]
