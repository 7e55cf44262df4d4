"""Request bodies read by independent parsers: the standard library's, and Node's."""

from __future__ import annotations

import email.policy
import hashlib
import json
import re
import subprocess
from dataclasses import dataclass
from decimal import Decimal
from email.parser import BytesParser
from typing import Any
from urllib.parse import parse_qsl

_DISPOSITION = re.compile(r'form-data; name="([^"]*)"(?:; filename="([^"]*)")?')
_NODE = """
const chunks = []; process.stdin.on('data', c => chunks.push(c)).on('end', async () => {
  const type = process.argv[1];
  const form = await new Response(Buffer.concat(chunks), {headers: {'Content-Type': type}}).formData();
  const digest = async file => Buffer.from(
    await crypto.subtle.digest('SHA-256', await file.arrayBuffer())).toString('hex');
  const parts = [];
  for (const [name, value] of form) parts.push(typeof value === 'string'
    ? [name, value, null, null] : [name, await digest(value), value.name, value.type]);
  process.stdout.write(JSON.stringify(parts));
});
"""


@dataclass(frozen=True)
class Part:
    """A field of a form. The value of a file is its SHA-256."""

    name: str
    value: str
    filename: str | None = None
    media_type: str | None = None


def multipart(content_type: str, body: bytes) -> list[Part]:
    """Read a multipart body with `email`."""
    head = f"Content-Type: {content_type}\r\n\r\n".encode()
    message = BytesParser(policy=email.policy.HTTP).parsebytes(head + body)
    assert message.is_multipart()
    assert not message.defects
    return [_part(part) for part in message.iter_parts()]


def _part(message: Any) -> Part:
    # `email` folds spaces inside a header and keeps its bytes as surrogates, hence the raw value.
    raw = dict(message.raw_items())
    disposition = raw["Content-Disposition"].strip().encode("ascii", "surrogateescape").decode()
    match = _DISPOSITION.fullmatch(disposition)
    assert match, disposition
    name, filename = match[1], match[2] and _unquoted(match[2])
    content = message.get_payload(decode=True)
    if filename is None:
        return Part(name or "", content.decode())
    return Part(name or "", hashlib.sha256(content).hexdigest(), filename, raw["Content-Type"].strip())


def _unquoted(name: str) -> str:
    # The WHATWG's multipart form data encodes these in names, and nothing else. Rails does not undo it in the
    # name of a part, so that none of ours needs it.
    return name.replace("%22", '"').replace("%0D", "\r").replace("%0A", "\n")


def by_node(node: str, content_type: str, body: bytes) -> list[Part]:
    """Read a multipart or URL form with Node's own parser."""
    run = subprocess.run([node, "-e", _NODE, content_type], input=body, capture_output=True, check=True)
    return [Part(*fields) for fields in json.loads(run.stdout)]


def parameters(content_type: str, body: bytes) -> dict[str, Any]:
    """Return the nested parameters of a body in any encoding, scalars as text, files as their parts."""
    kind = content_type.partition(";")[0]
    if kind == "application/json":
        return _as_text(json.loads(body))
    if kind == "multipart/form-data":
        pairs: list[tuple[str, Any]] = [
            (part.name, part.value if part.filename is None else part)
            for part in multipart(content_type, body)
        ]
    else:
        assert kind == "application/x-www-form-urlencoded"
        pairs = list(parse_qsl(body.decode("ascii"), keep_blank_values=True, strict_parsing=True))
    return nested(pairs)


def nested(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Unfold ``tune[characteristics][eye_color]`` and ``tune[tune_ids][]``."""
    root: dict[str, Any] = {}
    for key, value in pairs:
        first, brackets = re.fullmatch(r"([^\[\]]+)((?:\[[^\[\]]*\])*)", key, re.DOTALL).groups()  # type: ignore[union-attr]
        *path, last = [first, *re.findall(r"\[([^\[\]]*)\]", brackets)]
        if last == "":
            *path, last = path
            value = [value]
        place = root
        for step in path:
            place = place.setdefault(step, {})
        place[last] = [*place.get(last, []), *value] if isinstance(value, list) else value
    return root


def _as_text(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _as_text(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_as_text(item) for item in value]
    if isinstance(value, bool):
        return "true" if value else "false"
    return format(Decimal(repr(value)), "f") if isinstance(value, float) else str(value)
