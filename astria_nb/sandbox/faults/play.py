"""The effect of each kind of fault."""

import json
from collections.abc import Callable, Iterator
from functools import partial
from http import HTTPStatus
from typing import assert_never

from astria_nb.sandbox._errors import invalid, unauthorized
from astria_nb.sandbox.faults._fault import Fault, Status
from astria_nb.sandbox.faults._rules import FaultRules
from astria_nb.sandbox.http.exchange import Answer, Exchange

_JSON = ("Content-Type", "application/json; charset=utf-8")
_TEXT = ("Content-Type", "text/plain; charset=utf-8")
_HTML = ("Content-Type", "text/html; charset=utf-8")
_PAGE = (
    "<html>\r\n<head><title>{0}</title></head>\r\n"
    "<body>\r\n<center><h1>{0}</h1></center>\r\n</body>\r\n</html>\r\n"
)


def answer(exchange: Exchange, rules: FaultRules) -> None:
    """Answer a request, or apply the fault that affects it."""
    if fault := rules.strike(exchange.method, exchange.path):
        exchange.entry.record_fault(fault.kind)
        _play(fault, exchange)
    else:
        exchange.send(exchange.run())


def _play(fault: Fault, exchange: Exchange) -> None:
    match fault.kind:
        case "reset":
            _reset(fault, exchange)
        case "slow":
            _slow(fault, exchange)
        case "drip":
            _drip(fault, exchange)
        case "truncated":
            _truncated(fault, exchange)
        case "training" | "prompt":
            _fails_later(fault, exchange)
        case status:  # for the type checker as well: a kind without a case above is refused
            _strike(fault, exchange, partial(exchange.send, _error_answer(status, fault)))


def _reset(fault: Fault, exchange: Exchange) -> None:
    if fault.at == "during":
        length = exchange.body.length
        exchange.read_body(None if length is None else length // 2)
    if fault.at == "after":
        _strike(fault, exchange, exchange.reset)
        return
    if fault.at == "reply":
        answer = _run(exchange)
        content = b"".join(exchange.serialize(answer))
        exchange.write(answer, [content[: len(content) // 2]])
    exchange.reset()


def _slow(fault: Fault, exchange: Exchange) -> None:
    answer = _run(exchange)
    if exchange.wait(fault.seconds):
        exchange.send(answer)
    else:
        exchange.reset()


def _drip(fault: Fault, exchange: Exchange) -> None:
    answer = _run(exchange)
    exchange.write(answer, _drops(b"".join(exchange.serialize(answer)), fault.seconds, exchange))


def _truncated(fault: Fault, exchange: Exchange) -> None:
    answer = _run(exchange)
    promised = fault.length == "promised"
    exchange.keep_alive = promised  # with a Content-Length, the head looks as usual
    head, content = exchange.serialize(answer, with_length=promised)
    exchange.keep_alive = False
    exchange.write(answer, [head + content[: len(content) // 2]])


def _fails_later(fault: Fault, exchange: Exchange) -> None:
    exchange.environ["astria.fault"] = fault
    exchange.send(exchange.run())


def _strike(fault: Fault, exchange: Exchange, strike: Callable[[], None]) -> None:
    """Fail after the body was read; run the request before, after or never, depending on `commit`."""
    if fault.commit == "late":
        exchange.buffer_body()
        try:
            strike()
        finally:  # also if the client hung up
            exchange.run_later(fault.seconds)
        return
    if fault.commit == "yes":
        exchange.run()
    exchange.read_body()
    strike()


def _run(exchange: Exchange) -> Answer:
    answer = exchange.run()
    exchange.read_body()
    return answer


def _drops(content: bytes, seconds: float, exchange: Exchange) -> Iterator[bytes]:
    for index in range(len(content)):
        if index and not exchange.wait(seconds):
            return
        yield content[index : index + 1]


def _error_answer(status: Status, fault: Fault) -> Answer:
    """Return an error in the service's format (astria-api, section 8)."""
    line = f"{status} {HTTPStatus(int(status)).phrase}"
    retry = () if fault.retry_after is None else (("Retry-After", fault.retry_after),)
    match status:
        case "502" | "503" | "504":
            return Answer(line, (_HTML, *retry), _PAGE.format(line).encode())
        case "401":
            refused = unauthorized("", fault.message)
            return Answer(line, (_TEXT, *refused.headers.items()), str(refused.text).encode())
        case "422":
            body = invalid({"base": [fault.message]}).body
        case "429":
            body = {"error": fault.message}
        case "500":
            body = {"status": 500, "error": "Internal Server Error"}
        case _:
            assert_never(status)
    return Answer(line, (_JSON, *retry), json.dumps(body).encode())
