"""The sandbox's options, among them every behaviour that the API's documentation leaves open."""

import difflib
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal, Self

from astria_nb.sandbox import _option_checks as checks


@dataclass(frozen=True, kw_only=True)
class Options:
    """Options of a sandbox.

    Parameters
    ----------
    host : str, default "127.0.0.1"
        Address to bind: a loopback address or ``localhost``. Any other has to be given as an IP address.
    port : int, default 0
        Port to bind; 0 selects a free one.
    allowed_hosts : tuple of str, default ()
        Further ``Host`` headers to accept, with their ports, e.g. ``"192.168.1.5:8000"``. Replies contain
        addresses of the host that was asked.
    allowed_origins : tuple of str, default ()
        Origins of web pages that may call the API, e.g. ``"https://example.com"``; the real service allows
        its own two. Pages of other origins are refused. Pictures may be shown by any page.
    api_key : str, optional
        The key that clients must send, which begins with ``sd_``; by default ``sd_sandbox_`` and 24 random
        hexadecimal digits. Over a network, the client sends only keys that begin with ``sd_sandbox_``.
    speed : float, default 60.0
        How many times faster than the real service a tune is trained: at 60, ten minutes take ten seconds.
        From 1e-6 to 1e6. No effect if `deterministic`.
    deterministic : bool, default False
        Whether the clock is moved by requests only, and ids, times and pictures are the same in every run.
    data : str or Path, optional
        A folder that keeps the account and its files across restarts; by default they are lost.
    idempotent : bool, default False
        Whether the account has the setting that makes a second request with the same title return the tune
        of the first, and a second prompt with the same attributes the first prompt.
    idempotent_status : {"201", "200"}
        Status of such a reply.
    idempotent_match : {"title", "title_name_pack"}
        What has to be the same in both requests.
    idempotent_finds : {"all", "usable"}
        Whether failed and expired tunes are also returned. Deleted ones never are.
    price_shape : {"2025", "2024", "2026"}
        How packs show their prices: ``2024`` as ``cost_mc_hash`` everywhere; ``2025`` the same in lists, and
        as ``costs`` in cents in the detail; ``2026`` as ``costs`` in millicents everywhere.
    gallery : {"listed", "public"}
        Whether ``/gallery/packs`` shows only packs that are listed, or all that are public.
    gallery_needs_key : bool, default True
        Whether the gallery's lists require a key.
    created_pack : {"201", "200"}
        Status of the reply to ``POST /packs``.
    min_images : int, default 1
        Smallest number of images that a tune can be trained from.
    accept_webp : bool, default True
        Whether WebP images are accepted in addition to JPEG and PNG.
    error_key : {"error", "message"}
        The key of the message in a refusal that is not about a field.
    unfilled_placeholder : {"empty", "keep"}
        What happens to ``{{eye_color}}`` in a template if no characteristic of that name was sent.
    limit_above_maximum : {"clamp", "refuse"}
        How lists treat a ``limit`` above 120.
    training_times : {"ascending", "rerun"}
        Whether a tune's ``started_training_at`` is before its ``trained_at``, or after it, as the service
        shows a tune whose training was restarted.
    tune_fields : {"documented", "record"}
        Whether a tune also shows ``characteristics, prompts_callback, base_pack_id, auto_extend, cost_mc,
        failed_at``, which the service stores but is not known to publish.
    failed_tune : {"failed_at", "hidden"}
        Whether a failed tune has ``failed_at`` in every reply, or looks as if it never ended.
    failed_tune_prompts : {"pending", "user_error"}
        Whether the prompts of a failed tune stay pending forever or also fail.
    callback_body : {"wrapped", "bare"}
        Whether the callback of a tune or of one prompt sends ``{"tune": {…}}`` or ``{…}``.
    callback_fields : {"short", "full"}
        Whether the tune or prompts in callbacks have the nine or ten fields that receivers are known to get,
        or all fields that ``GET`` shows.
    callback_on_failure : bool, default False
        Whether callbacks are also sent for failed tunes and prompts.
    callback_order : {"prompt_first", "prompts_first"}
        Whether the callback of the last prompt or that of all prompts is sent first.
    callbacks_anywhere : bool, default False
        Whether callbacks may be sent to other machines.
    nested_prompt : {"any", "base"}
        Whether ``GET /tunes/:tune_id/prompts/:id`` accepts every tune that the prompt uses, or only its
        ``tune_id``, which for a pack's prompt is the base model.
    prompt_tune_id : {"base", "posted"}
        Whether a prompt that was posted to a LoRA tune shows the base model as its ``tune_id``, or that tune.
    picture_addresses : {"plain", "redirect"}
        Whether pictures have addresses without an extension, in order; or, as in 2024, addresses with an
        extension, not in order, which redirect to the picture.
    branch_on_packs : {"ignored", "mock"}
        Whether ``branch=fast`` makes a pack run a free mock run, as with ``POST /tunes``; if not, the tune
        has the branch of its base model.
    auto_extend_on_packs : {"kept", "ignored"}
        Whether ``auto_extend`` has an effect on a pack run, as with ``POST /tunes``.
    patched_tune : {"200", "204"}
        Whether the reply to PATCH of a tune is the tune or empty.
    patched_prompt : {"200", "204"}
        Whether the reply to PATCH of a prompt is the prompt or empty.
    deleted_prompt : {"204", "200"}
        Whether the reply to DELETE of a prompt is empty or a message.
    faceid_reply : {"object", "array"}
        Whether ``POST /tunes`` wraps a FaceID tune in an array, as a documented sample shows.
    balance_mc : int, default 100_000_000_000
        The account's initial balance, in millicents (100,000 are one US dollar).
    empty_balance : {"422", "402", "ignored"}
        How a request that costs more than the balance is refused.
    fetch_urls : tuple of str, default ()
        Hosts to download ``image_urls`` and ``file_url`` from, compared exactly: ``"example.com"`` for the
        default ports, else with the port, e.g. ``"127.0.0.1:8000"``. URLs at other hosts are then refused. By
        default, nothing is downloaded: URLs are recorded unchanged.
    index_keys : {"list", "dropped"}
        Whether ``tune[image_urls][0]=…`` is an element of a list, as clients that send it expect, or is
        dropped, as by a stock Rails. Such a key of `prompts_attributes` is always an element.
    max_body : int, default 2**30
        Largest request body, in bytes.
    max_fields : int, default 10_000
        Largest number of fields, parts or JSON values in one request.
    max_files : int, default 127
        Maximum number of files in one request, including those without a name. A request with more is
        answered 500 once it has arrived completely. This and the following limits are those of a stock Rails;
        the service's own are not known.
    max_parts : int, default 4095
        Maximum number of parts of a multipart body; 500 above it.
    max_text : int, default 16 * 2**20
        Maximum bytes of text in a multipart body, above which it is answered 500; also of a JSON body, 413.
    max_disposition : int, default 1536
        Longest ``Content-Disposition`` of a part, in bytes. A part with a longer one is lost.
    max_pairs : int, default 4096
        Maximum number of pairs in a URL-encoded body or a query; 400 above it.
    max_form : int, default 4 * 2**20
        Largest URL-encoded body, in bytes; 400 above it.
    max_form_depth : int, default 32
        Maximum number of names in the key of a form, such as 2 in ``tune[title]``; 400 above it.
    max_json_depth : int, default 100
        Maximum nesting depth of JSON; 400 above it.

    Raises
    ------
    ValueError
        If an option has an invalid value.

    Examples
    --------
    >>> Options(speed=600, idempotent=True).speed
    600
    """

    host: str = "127.0.0.1"
    port: int = 0
    allowed_hosts: tuple[str, ...] = ()
    allowed_origins: tuple[str, ...] = ()
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
    training_times: Literal["ascending", "rerun"] = "ascending"
    tune_fields: Literal["documented", "record"] = "documented"
    failed_tune: Literal["failed_at", "hidden"] = "failed_at"
    failed_tune_prompts: Literal["pending", "user_error"] = "pending"
    callback_body: Literal["wrapped", "bare"] = "wrapped"
    callback_fields: Literal["short", "full"] = "short"
    callback_on_failure: bool = False
    callback_order: Literal["prompt_first", "prompts_first"] = "prompt_first"
    callbacks_anywhere: bool = False
    nested_prompt: Literal["any", "base"] = "any"
    prompt_tune_id: Literal["base", "posted"] = "base"
    picture_addresses: Literal["plain", "redirect"] = "plain"
    branch_on_packs: Literal["ignored", "mock"] = "ignored"
    auto_extend_on_packs: Literal["kept", "ignored"] = "kept"
    patched_tune: Literal["200", "204"] = "200"
    patched_prompt: Literal["200", "204"] = "200"
    deleted_prompt: Literal["204", "200"] = "204"
    faceid_reply: Literal["object", "array"] = "object"
    balance_mc: int = 100_000_000_000
    empty_balance: Literal["422", "402", "ignored"] = "422"
    fetch_urls: tuple[str, ...] = ()
    index_keys: Literal["list", "dropped"] = "list"
    max_body: int = 2**30
    max_fields: int = 10_000
    max_files: int = 127
    max_parts: int = 4095
    max_text: int = 16 * 2**20
    max_disposition: int = 1536
    max_pairs: int = 4096
    max_form: int = 4 * 2**20
    max_form_depth: int = 32
    max_json_depth: int = 100

    @classmethod
    def read(cls, values: dict[str, Any]) -> Self:
        """Return options from a mapping of names to values.

        Raises
        ------
        ValueError
            If an option has an invalid value.
        TypeError
            If there is no such option.
        """
        names = [field.name for field in fields(cls)]
        for name in values:
            if name not in names:
                near = difflib.get_close_matches(name, names, n=1, cutoff=0.75)
                hint = f"did you mean {near[0]!r}?" if near else f"the options are {', '.join(names)}"
                raise TypeError(f"a sandbox has no option {name!r}; {hint}")
        return cls(**values)

    def __post_init__(self) -> None:
        for field in fields(self):
            checks.check_type(field.name, field.type, getattr(self, field.name))
        if self.data is not None:  # resolved once: the working directory may change
            object.__setattr__(self, "data", checks.absolute("data", self.data))
        if self.api_key is not None:
            object.__setattr__(self, "api_key", checks.key("api_key", self.api_key))
        checks.check_range("speed", self.speed, 1e-6 <= self.speed <= 1e6, "a number from 1e-6 to 1e6")
        checks.check_range("port", self.port, 0 <= self.port <= 65535, "0 to 65535")
        for origin in self.allowed_origins:
            checks.check_origin("allowed_origins", origin)
        for name in ("allowed_hosts", "fetch_urls"):
            for host in getattr(self, name):
                checks.check_host(name, host)
