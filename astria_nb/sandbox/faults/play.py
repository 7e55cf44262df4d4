"""The effect of each kind of fault."""

import json
from collections.abc import Callable, Iterator
from functools import partial
from http import HTTPStatus

from astria_nb.sandbox._errors import Refusal, invalid, unauthorized
from astria_nb.sandbox.faults._fault import Fault
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
        _PLAYS.get(fault.kind, _status)(fault, exchange)
    else:
        exchange.send(exchange.run())


def _status(fault: Fault, exchange: Exchange) -> None:
    _strike(fault, exchange, partial(exchange.send, _error_answer(fault)))


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


_PLAYS: dict[str, Callable[[Fault, Exchange], None]] = {
    "reset": _reset,
    "slow": _slow,
    "drip": _drip,
    "truncated": _truncated,
    "training": _fails_later,
    "prompt": _fails_later,
}


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


def _error_answer(fault: Fault) -> Answer:
    """Return an error in the service's format (astria-api, section 8)."""
    status = HTTPStatus(int(fault.kind))
    line = f"{status.value} {status.phrase}"
    retry = () if fault.retry_after is None else (("Retry-After", fault.retry_after),)
    if status in (HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT):
        return Answer(line, (_HTML, *retry), _PAGE.format(line).encode())
    if status == HTTPStatus.UNAUTHORIZED:
        refused = unauthorized("", fault.message)
        return Answer(line, (_TEXT, *refused.headers.items()), str(refused.text).encode())
    refusal = {
        HTTPStatus.UNPROCESSABLE_ENTITY: invalid({"base": [fault.message]}),
        HTTPStatus.TOO_MANY_REQUESTS: Refusal(429, {"error": fault.message}),
        HTTPStatus.INTERNAL_SERVER_ERROR: Refusal(500, {"status": 500, "error": "Internal Server Error"}),
    }[status]
    return Answer(line, (_JSON, *retry), json.dumps(refusal.body).encode())
