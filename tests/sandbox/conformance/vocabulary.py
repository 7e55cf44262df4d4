"""The vocabulary of the conformance table, and how a row of it is played."""

import json
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from astria_nb.sandbox import SandboxServer
from helpers.waiting import until
from sandbox.callbacks.test_callbacks import Receiver
from sandbox.conformance.expectations import ABSENT, differences
from sandbox.conformance.programs import Answer, Broken, Call, File, Program
from sandbox.helpers.api import image_bytes

URL = "https://example.com/1.jpg"
JPEG, PNG = image_bytes("JPEG"), image_bytes("PNG")
PHOTO = File("1.jpg", JPEG)
ENCODINGS = ("multipart", "form", "json")


@dataclass
class Scene:
    """A sandbox, the program that sends requests to it, the receiver of callbacks, and saved values."""

    sandbox: SandboxServer
    program: Program
    receiver: Receiver
    hook: str
    """Path under which the receiver is called back by this sandbox only."""
    saved: dict[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.saved["hook"] = self.receiver.url(self.hook)


@dataclass(frozen=True)
class Step:
    """A request and the expected answer.

    In paths, fields and expectations `:name` stands for the value that an earlier step saved under that
    name (see `keep`); `:hook` is the receiver's address.
    """

    call: Call
    status: "int | tuple[int, ...]"
    shows: object = ABSENT
    keep: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, object] = field(default_factory=dict)

    def needs(self, names: Collection[str]) -> bool:
        """Return whether a value that is saved under one of some names is part of the request."""
        request = (self.call.path, self.call.fields)
        return bool(names) and resolved(request, dict.fromkeys(names, "")) != request

    def check(self, scene: Scene, answer: Answer) -> None:
        """Compare the answer with what is expected, and save of it what is to be kept."""
        summary = f"{self.call.method} {self.call.path} answered {answer.status}: {answer.body[:600]!r}"
        statuses = self.status if isinstance(self.status, tuple) else (self.status,)
        assert answer.status in statuses, summary
        assert differences(self.headers, answer.headers, "headers") == [], summary
        body = _body(answer)
        if self.shows is not ABSENT:
            assert differences(resolved(self.shows, scene.saved), body) == [], summary
        scene.saved |= {name: _at(body, path) for name, path in self.keep.items()}

    def call_in(self, scene: Scene) -> Call:
        """Return the request, with the sandbox's key unless the row gives another."""
        url = scene.sandbox.url
        headers = {"Authorization": f"Bearer {scene.sandbox.api_key}"} | dict(self.call.headers)
        path = str(resolved(self.call.path, scene.saved, url=url))
        return replace(
            self.call,
            path=path.removeprefix(url),
            headers={name: value for name, value in headers.items() if value},
            fields=resolved(self.call.fields, scene.saved),
        )


@dataclass(frozen=True)
class Steps:
    """Requests that need nothing of each other's answers: a program may send them all at once, in order."""

    steps: tuple[Step, ...]

    def play(self, scene: Scene) -> None:
        calls = [step.call_in(scene) for step in self.steps]
        for step, answer in zip(self.steps, scene.program.send(scene.sandbox.url, *calls), strict=True):
            step.check(scene, answer)


@dataclass(frozen=True)
class Break:
    """A request whose answer must not be complete."""

    step: Step

    def play(self, scene: Scene) -> None:
        try:
            (answer,) = scene.program.send(scene.sandbox.url, self.step.call_in(scene))
        except Broken:
            return
        raise AssertionError(f"{self.step.call.path} was answered in full: {answer}")


@dataclass(frozen=True)
class Act:
    """Something done to the sandbox itself, or checked outside of its API."""

    do: Callable[[Scene], object]

    def play(self, scene: Scene) -> None:
        self.do(scene)


@dataclass(frozen=True)
class Row:
    """A behaviour of the API: its name, the steps that show it, and the sandbox's options."""

    name: str
    steps: tuple[Any, ...]
    options: Mapping[str, object]

    def play(self, scene: Scene) -> None:
        for part in together(self.steps):
            part.play(scene)


def together(steps: Iterable[Any]) -> list[Any]:
    """Join the requests that need nothing of each other's answers."""
    parts: list[Any] = []
    for step in steps:
        before = parts[-1].steps if parts and isinstance(parts[-1], Steps) else ()
        if not isinstance(step, Step):
            parts.append(step)
        elif before and not step.needs([name for earlier in before for name in earlier.keep]):
            parts[-1] = Steps((*before, step))
        else:
            parts.append(Steps((step,)))
    return parts


def row(name: str, *steps: Any, **options: object) -> Row:
    return Row(name, steps, {"deterministic": True} | options)


def in_each_encoding(name: str, steps: Callable[[str], tuple[Any, ...]], **options: object) -> list[Row]:
    """Return a row for each of the three encodings."""
    return [row(f"{name}, {encoding}", *steps(encoding), **options) for encoding in ENCODINGS]


def get(path: str, status: Any = 200, shows: object = ABSENT, **more: Any) -> Step:
    return sent("GET", path, None, "", status, shows, **more)


def post(
    path: str,
    fields: object = None,
    status: Any = 201,
    shows: object = ABSENT,
    *,
    by: str = "json",
    **more: Any,
) -> Step:
    return sent("POST", path, fields, by if fields is not None else "", status, shows, **more)


def patch(path: str, fields: object, status: Any = 200, shows: object = ABSENT, by: str = "json") -> Step:
    return sent("PATCH", path, fields, by, status, shows)


def delete(path: str, status: Any = 200, shows: object = ABSENT) -> Step:
    return sent("DELETE", path, None, "", status, shows)


def sent(
    method: str, path: str, fields: object, by: Any, status: Any, shows: object = ABSENT,
    keep: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None,
    carries: Mapping[str, object] | None = None,
) -> Step:  # fmt: skip
    """Return a step; `headers` are the request's, `carries` the reply's."""
    return Step(Call(method, path, headers or {}, by, fields), status, shows, keep or {}, carries or {})


def tune(**fields: object) -> dict[str, object]:
    """Return what a pack run needs, under `tune`; None removes a field."""
    whole = {"title": "t", "name": "man", "image_urls": [URL]} | fields
    return {"tune": {name: value for name, value in whole.items() if value is not None}}


def train(pack: object = 43, keep: str = "tune", **fields: object) -> Step:
    """Run a pack and save the tune's id."""
    return post(f"/p/{pack}/tunes", tune(**fields), keep={keep: "id"})


BASE = 1504944
"""Flux1.dev, the base model of every pack here."""


def alone(**fields: object) -> dict[str, object]:
    """Return what `POST /tunes` needs, under `tune`."""
    return tune(base_tune_id=BASE, model_type="lora", **fields)


def prompt(**fields: object) -> dict[str, object]:
    """Return what a prompt needs, under `prompt`."""
    return {"prompt": {"text": "<lora:1:1> ohwx man at sea", **fields}}


def ask(keep: str = "prompt", **fields: object) -> Step:
    """Create a prompt on the tune that was saved, and save its id."""
    return post("/tunes/:tune/prompts", prompt(**fields), keep={keep: "id"})


ONE_PROMPT = (train(prompt_ids=[43001]), get("/prompts", 200, keep={"prompt": "0.id"}))
"""A run of one template: its tune is saved as `tune`, its prompt as `prompt`."""


def advance(seconds: float) -> Act:
    return Act(lambda scene: scene.sandbox.advance(seconds))


def called_back(count: int) -> Act:
    """Wait for callbacks to have been delivered."""
    return Act(lambda scene: until(lambda: len(scene.sandbox.deliveries) >= count))


def got(path: str, *bodies: object) -> Act:
    """Compare the callbacks that the receiver got at a path."""

    def compare(scene: Scene) -> None:
        received = scene.receiver.bodies(scene.hook + path)
        assert differences(resolved(list(bodies), scene.saved), received) == [], received

    return Act(compare)


def resolved(value: Any, saved: Mapping[str, object], **more: str) -> Any:
    """Replace `:name` by the saved value; a string that consists of it alone becomes the value itself."""
    if isinstance(value, str):
        values = saved | more
        if value[:1] == ":" and value[1:] in values:
            return values[value[1:]]
        return re.sub(r":([a-z_]+)", lambda match: str(values.get(match[1], match[0])), value)
    if isinstance(value, Mapping):
        return {key: resolved(item, saved) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(resolved(item, saved) for item in value)
    return value


def _body(answer: Answer) -> Any:
    if answer.headers.get("content-type", "").startswith("application/json") and answer.body:
        return json.loads(answer.body)
    return answer.body


def _at(value: Any, path: str) -> object:
    for name in path.split("."):
        value = value[int(name) if name.isdigit() else name]
    return value
