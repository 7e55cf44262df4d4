"""How one sandbox is set: every behaviour that the specification leaves open, by name."""

import difflib
import math
import re
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal, Self, get_args, get_origin


@dataclass(frozen=True, kw_only=True)
class Options:
    """Settings of a sandbox.

    Parameters
    ----------
    host : str, default "127.0.0.1"
        Address to bind: a loopback address or ``localhost``. Any other has to be written as an IP address.
    port : int, default 0
        Port to bind; 0 takes a free one.
    allowed_hosts : tuple of str, default ()
        Further ``Host`` headers to answer to, port included, e.g. ``"192.168.1.5:8000"``.
    api_key : str, optional
        The key that clients must send; by default ``sd_sandbox_`` and 24 random hexadecimal digits.
    speed : float, default 60.0
        How many times faster than the real service a tune trains: at 60, ten minutes take ten seconds.
        Without effect when `deterministic`.
    deterministic : bool, default False
        Whether the clock moves by calls only and ids, times and pictures are the same in every run.
    data : str or Path, optional
        A folder that keeps the account and its files over a restart; by default all is forgotten.
    idempotent : bool, default False
        Whether the account has the setting that makes a second request with the same title return the tune
        of the first, and a second prompt with the same attributes the first prompt.
    idempotent_status : {"201", "200"}
        Status of such a reply.
    idempotent_match : {"title", "title_name_pack"}
        What has to be the same in both requests.
    idempotent_finds : {"all", "usable"}
        Whether tunes that failed or expired are found as well. Deleted ones never are.
    price_shape : {"2025", "2024", "2026"}
        How packs tell their prices: ``2024`` ``cost_mc_hash`` everywhere; ``2025`` the same in lists and
        ``costs`` in cents in the detail; ``2026`` ``costs`` in millicents everywhere.
    gallery : {"listed", "public"}
        Whether ``/gallery/packs`` shows only packs that are on its lists, or all that were made public.
    gallery_needs_key : bool, default True
        Whether the gallery's lists are refused to a client without a key.
    created_pack : {"201", "200"}
        Status of the reply to ``POST /packs``.
    min_images : int, default 1
        Fewest images that a tune is trained from.
    accept_webp : bool, default True
        Whether images may be WebP; JPEG and PNG always may.
    error_key : {"error", "message"}
        Under which key a refusal says what is wrong where it is not about a field.
    unfilled_placeholder : {"empty", "keep"}
        What becomes of ``{{eye_color}}`` in a template when no characteristic of that name was sent.
    limit_above_maximum : {"clamp", "refuse"}
        What a list does with a ``limit`` over 120.
    tune_fields : {"documented", "record"}
        Whether a tune also shows ``characteristics, prompts_callback, base_pack_id, auto_extend, cost_mc,
        failed_at``, which the service keeps but is not known to publish.
    failed_tune : {"failed_at", "hidden"}
        Whether a tune that failed says so in any case, or looks as if it never ended.
    failed_tune_prompts : {"pending", "user_error"}
        Whether the prompts of a tune that failed stay pending for ever or fail too.
    callback_body : {"wrapped", "bare"}
        Whether a callback of one tune or prompt sends ``{"tune": {…}}`` or ``{…}``.
    callback_on_failure : bool, default False
        Whether a tune or prompt that failed is announced as well.
    callback_order : {"prompt_first", "prompts_first"}
        Whether the last prompt or all prompts together are announced first.
    callbacks_anywhere : bool, default False
        Whether callbacks may go to receivers that are not on this machine.
    nested_prompt : {"any", "base"}
        Whether ``GET /tunes/:tune_id/prompts/:id`` finds a prompt under each tune that it uses or only under
        its ``tune_id``, for a pack's prompt the base model.
    prompt_tune_id : {"posted", "base"}
        Whether a prompt that was posted to a LoRA tune shows that tune as its ``tune_id`` or the base model.
    branch_on_packs : {"ignored", "mock"}
        Whether ``branch=fast`` makes a free mock run of a pack too, as it does on ``POST /tunes``.
    auto_extend_on_packs : {"kept", "ignored"}
        Whether a pack run heeds ``auto_extend``, as ``POST /tunes`` does.
    patched_tune : {"200", "204"}
        Whether PATCH of a tune answers with the tune or with nothing.
    deleted_prompt : {"200", "204"}
        Whether DELETE of a prompt answers with a message or with nothing.
    faceid_reply : {"object", "array"}
        Whether ``POST /tunes`` wraps a FaceID tune into an array, as a documented sample shows.
    balance_mc : int, default 100_000_000_000
        What the account holds at the start, in millicents (100,000 are one US dollar).
    empty_balance : {"422", "402", "ignored"}
        How a request is refused that costs more than is left.
    fetch_urls : tuple of str, default ()
        Hosts to download ``image_urls`` and ``file_url`` from, compared exactly: ``"example.com"`` for the
        default ports, else with the port, e.g. ``"127.0.0.1:8000"``. URLs at other hosts are then refused.
        Without any, nothing is downloaded: URLs are recorded as they are.
    max_body : int, default 2**30
        Largest request body, in bytes.
    max_fields : int, default 10_000
        Most fields, parts or JSON values in one request.
    """

    host: str = "127.0.0.1"
    port: int = 0
    allowed_hosts: tuple[str, ...] = ()
    api_key: str | None = None
    speed: float = 60.0
    deterministic: bool = False
    data: str | Path | None = None
    idempotent: bool = False
    idempotent_status: Literal["201", "200"] = "201"
    idempotent_match: Literal["title", "title_name_pack"] = "title"
    idempotent_finds: Literal["all", "usable"] = "all"
    price_shape: Literal["2025", "2024", "2026"] = "2025"
    gallery: Literal["listed", "public"] = "listed"
    gallery_needs_key: bool = True
    created_pack: Literal["201", "200"] = "201"
    min_images: int = 1
    accept_webp: bool = True
    error_key: Literal["error", "message"] = "error"
    unfilled_placeholder: Literal["empty", "keep"] = "empty"
    limit_above_maximum: Literal["clamp", "refuse"] = "clamp"
    tune_fields: Literal["documented", "record"] = "documented"
    failed_tune: Literal["failed_at", "hidden"] = "failed_at"
    failed_tune_prompts: Literal["pending", "user_error"] = "pending"
    callback_body: Literal["wrapped", "bare"] = "wrapped"
    callback_on_failure: bool = False
    callback_order: Literal["prompt_first", "prompts_first"] = "prompt_first"
    callbacks_anywhere: bool = False
    nested_prompt: Literal["any", "base"] = "any"
    prompt_tune_id: Literal["posted", "base"] = "posted"
    branch_on_packs: Literal["ignored", "mock"] = "ignored"
    auto_extend_on_packs: Literal["kept", "ignored"] = "kept"
    patched_tune: Literal["200", "204"] = "200"
    deleted_prompt: Literal["200", "204"] = "200"
    faceid_reply: Literal["object", "array"] = "object"
    balance_mc: int = 100_000_000_000
    empty_balance: Literal["422", "402", "ignored"] = "422"
    fetch_urls: tuple[str, ...] = ()
    max_body: int = 2**30
    max_fields: int = 10_000

    @classmethod
    def read(cls, given: dict[str, Any]) -> Self:
        """Return the options of these names.

        Raises
        ------
        ValueError
            An option has a value that it cannot take.
        TypeError
            There is no such option.
        """
        names = [field.name for field in fields(cls)]
        for name in given:
            if name not in names:
                near = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
                hint = f"did you mean {near[0]!r}?" if near else f"the options are {', '.join(names)}"
                raise TypeError(f"a sandbox has no option {name!r}; {hint}")
        return cls(**given)

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if get_origin(field.type) is not Literal:
                takes, hint = _KINDS[field.type]
                if not takes(value):
                    raise ValueError(f"{field.name}: {_shown(value)} is not of the right kind; give {hint}")
            elif not isinstance(value, str) or value not in get_args(field.type):
                choices = ", ".join(repr(choice) for choice in get_args(field.type))
                raise ValueError(f"{field.name}: {_shown(value)} is not a choice; choose one of {choices}")
        if not 0 < self.speed <= 1e6:
            raise ValueError(
                f"speed: {_shown(self.speed)} is out of range; give a number above 0, at most 1e6"
            )
        if not 0 <= self.port <= 65535:
            raise ValueError(f"port: {_shown(self.port)} is not a port; give 0 to 65535")
        if self.api_key is not None and (not self.api_key.isascii() or not self.api_key.strip()):
            raise ValueError("api_key: it is not ASCII text, or blank; give another one, or leave it out")
        for host in self.fetch_urls:
            if not _HOST.fullmatch(host):
                raise ValueError(
                    f"fetch_urls: {_shown(host)} is not a host; give hosts such as 'example.com' or "
                    "'127.0.0.1:8000', without scheme and path"
                )


_HOST = re.compile(r"(?:\[[0-9a-fA-F:.]+\]|[0-9A-Za-z._-]+)(?::[0-9]{1,5})?")


def _shown(value: object) -> str:
    """Quote a value for a message: short, without addresses in memory and keys."""
    text = re.sub(r" at 0x[0-9a-fA-F]+|\s*\n\s*", "", re.sub(r"sd_\w+", "sd_…", repr(value)))
    return text if len(text) <= 80 else f"{text[:79]}…"


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < math.inf


def _is_text(value: object) -> bool:
    return isinstance(value, str) and "\0" not in value


_KINDS: dict[Any, tuple[Callable[[Any], bool], str]] = {
    str: (_is_text, "text"),
    bool: (lambda value: isinstance(value, bool), "True or False"),
    int: (
        lambda value: _is_number(value) and isinstance(value, int) and value >= 0,
        "a whole number from 0 on",
    ),
    float: (_is_number, "a number"),
    str | None: (lambda value: value is None or _is_text(value), "text, or None"),
    str | Path | None: (lambda value: value is None or isinstance(value, Path) or _is_text(value), "a path"),
    tuple[str, ...]: (
        lambda value: isinstance(value, list | tuple) and all(map(_is_text, value)),
        "a list of texts",
    ),
}
