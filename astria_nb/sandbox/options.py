"""How one sandbox is set: every behaviour that the specification leaves open, by name."""

from dataclasses import dataclass, fields
from typing import Literal, get_args, get_origin


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
    price_shape : {"2025", "2024", "2026"}
        How packs tell their prices: ``2024`` ``cost_mc_hash`` everywhere; ``2025`` the same in lists and
        ``costs`` in cents in the detail; ``2026`` ``costs`` in millicents everywhere.
    callback_body : {"wrapped", "bare"}
        Whether a callback of one tune or prompt sends ``{"tune": {…}}`` or ``{…}``.
    callbacks_anywhere : bool, default False
        Whether callbacks may go to receivers that are not on this machine.
    unfilled_placeholder : {"empty", "keep"}
        What becomes of ``{{eye_color}}`` in a template when no characteristic of that name was sent.
    tune_fields : {"documented", "record"}
        Whether a tune also shows ``characteristics, prompts_callback, base_pack_id, auto_extend, cost_mc,
        failed_at``, which the service keeps but is not known to publish.
    nested_prompt : {"any", "base"}
        Whether ``GET /tunes/:tune_id/prompts/:id`` finds a pack prompt under each tune that it uses or only
        under its ``tune_id``, the base model.
    balance_mc : int, default 100_000_000
        What the account holds at the start, in millicents (100,000 are one US dollar). Runs lower it, and
        an overdrawn account is not refused anything.
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
    price_shape: Literal["2025", "2024", "2026"] = "2025"
    callback_body: Literal["wrapped", "bare"] = "wrapped"
    callbacks_anywhere: bool = False
    unfilled_placeholder: Literal["empty", "keep"] = "empty"
    tune_fields: Literal["documented", "record"] = "documented"
    nested_prompt: Literal["any", "base"] = "any"
    balance_mc: int = 100_000_000
    max_body: int = 2**30
    max_fields: int = 10_000

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if get_origin(field.type) is Literal and value not in get_args(field.type):
                choices = ", ".join(repr(choice) for choice in get_args(field.type))
                raise ValueError(f"{field.name}: {value!r} is not a choice; choose one of {choices}")
        if not 0 < self.speed <= 1e6:
            raise ValueError(f"speed: {self.speed!r} is out of range; give a number above 0, at most 1e6")
        if not 0 <= self.port <= 65535:
            raise ValueError(f"port: {self.port!r} is not a port; give 0 to 65535")
        if self.api_key is not None and (not self.api_key.isascii() or not self.api_key.strip()):
            raise ValueError("api_key: the key has to be ASCII text that is not blank")
