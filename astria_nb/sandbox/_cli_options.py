"""The sandbox's options as command-line flags, documented by the docstring of `Options`."""

import argparse
import inspect
import re
from dataclasses import fields
from typing import Any, Literal, get_args, get_origin

from astria_nb.sandbox._options import Options
from astria_nb.sandbox.faults import Fault, Kind

_PARAMETER = re.compile(r"^(\w+) : .*\n((?:    .*\n)+)", re.MULTILINE)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add a flag for each option to a parser.

    Parameters
    ----------
    parser : argparse.ArgumentParser
        The parser.

    Examples
    --------
    >>> parser = argparse.ArgumentParser()
    >>> add_arguments(parser)
    >>> chosen_options(parser.parse_args(["--speed", "600", "--idempotent"]))["speed"]
    600.0
    """
    descriptions = _PARAMETER.findall(f"{inspect.getdoc(Options)}\n")
    texts = {name: " ".join(text.split()) for name, text in descriptions}
    for field in fields(Options):
        flag = "--" + field.name.replace("_", "-")
        text = texts.get(field.name, "").replace("`", "").replace("%", "%%")
        if field.default not in (None, ()):
            text += f" Default: {field.default}."
        settings = _argparse_settings(field.type)
        if field.name == "allowed_origins":
            settings["metavar"] = "ORIGIN[,ORIGIN...]"
        parser.add_argument(flag, help=text, default=field.default, **settings)
    kinds, of_faults = get_args(Kind), [field.name for field in fields(Fault)[1:]]
    parser.add_argument(
        "--fault",
        action="append",
        default=[],
        type=_parse_fault,
        metavar="KIND[,FIELD=VALUE...]",
        help="Let requests fail, e.g. '504,route=POST /p/*/tunes,commit=yes'; may be given several times. "
        f"Kinds: {', '.join(kinds)}. Fields: {', '.join(of_faults)}.",
    )


def chosen_options(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return the options of a parsed command line, by the names of `Options`."""
    return {field.name: getattr(arguments, field.name) for field in fields(Options)}


def _parse_fault(text: str) -> Fault:
    try:
        return Fault.parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _argparse_settings(option_type: Any) -> dict[str, Any]:
    """Return the keyword arguments of `add_argument` for an option of a type."""
    if option_type is bool:
        return {"action": argparse.BooleanOptionalAction}
    if get_origin(option_type) is Literal:
        return {"choices": get_args(option_type)}
    if get_origin(option_type) is tuple:
        return {"action": _Collect, "metavar": "HOST[,HOST...]"}
    return {"type": option_type if option_type in (int, float) else str}


class _Collect(argparse.Action):
    """Collects the values of a flag: it may be given several times, or several separated by commas."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,  # noqa: ARG002 - argparse's names
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,  # noqa: ARG002 - argparse's names
    ) -> None:
        hosts = [host.strip() for host in values.split(",") if host.strip()]
        setattr(namespace, self.dest, (*getattr(namespace, self.dest), *hosts))
