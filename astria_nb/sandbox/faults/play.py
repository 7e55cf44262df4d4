"""How each kind of fault is played on a request."""

import json
from collections.abc import Callable, Iterator
from functools import partial
from http import HTTPStatus

from astria_nb.sandbox.errors import Refusal, invalid, unauthorized
from astria_nb.sandbox.faults.fault import Fault
from astria_nb.sandbox.faults.rules import FaultRules
from astria_nb.sandbox.http.exchange import Answer, Exchange

_JSON = ("Content-Type", "application/json; charset=utf-8")
_HTML = ("Content-Type", "text/html; charset=utf-8")
_PAGE = (
    "<html>\r\n<head><title>{0}</title></head>\r\n"
    "<body>\r\n<center><h1>{0}</h1></center>\r\n</body>\r\n</html>\r\n"
)


def answer(exchange: Exchange, rules: FaultRules) -> None:
    """Answer a request, or play the fault that strikes it."""
    if fault := rules.strike(exchange.method, exchange.path):
        exchange.entry.struck(fault.kind)
        play(fault, exchange)
    else:
        exchange.send(exchange.run())


def play(fault: Fault, exchange: Exchange) -> None:
    """Answer a request as a fault wants it."""
    _PLAYS.get(fault.kind, _answer)(fault, exchange)


def _answer(fault: Fault, exchange: Exchange) -> None:
    _strike(fault, exchange, partial(exchange.send, _answer_of(fault)))


def _reset(fault: Fault, exchange: Exchange) -> None:
    if fault.at == "during":
        length = exchange.body.length
        exchange.read(None if length is None else length // 2)
    if fault.at == "after":
        _strike(fault, exchange, exchange.cut)
        return
    if fault.at == "reply":
        answer = _carried_out(exchange)
        whole = b"".join(exchange.bytes_of(answer))
        exchange.say(answer, [whole[: len(whole) // 2]])
    exchange.cut()


def _slow(fault: Fault, exchange: Exchange) -> None:
    answer = _carried_out(exchange)
    if exchange.wait(fault.seconds):
        exchange.send(answer)
    else:
        exchange.cut()


def _drip(fault: Fault, exchange: Exchange) -> None:
    answer = _carried_out(exchange)
    exchange.say(answer, _drops(b"".join(exchange.bytes_of(answer)), fault.seconds, exchange))


def _truncated(fault: Fault, exchange: Exchange) -> None:
    answer = _carried_out(exchange)
    promised = fault.length == "promised"
    exchange.keep = promised  # what promises the whole looks as ever up to the hang-up
    head, content = exchange.bytes_of(answer, length=promised)
    exchange.keep = False
    exchange.say(answer, [head + content[: len(content) // 2]])


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
    """Strike when the body was read, and carry the request out before, after or never."""
    if fault.commit == "late":
        exchange.keep_body()
        try:
            strike()
        finally:  # also when the client did not wait for it
            exchange.run_later(fault.seconds)
        return
    if fault.commit == "yes":
        exchange.run()
    exchange.read()
    strike()


def _carried_out(exchange: Exchange) -> Answer:
    answer = exchange.run()
    exchange.read()
    return answer


def _drops(whole: bytes, seconds: float, exchange: Exchange) -> Iterator[bytes]:
    for number in range(len(whole)):
        if number and not exchange.wait(seconds):
            return
        yield whole[number : number + 1]


def _answer_of(fault: Fault) -> Answer:
    """Return the answer of a status, in the shape of `astria-api.md` section 8."""
    status = HTTPStatus(int(fault.kind))
    line = f"{status.value} {status.phrase}"
    retry = () if fault.retry_after is None else (("Retry-After", fault.retry_after),)
    if status in (HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT):
        return Answer(line, (_HTML, *retry), _PAGE.format(line).encode())
    refusal = {
        HTTPStatus.UNAUTHORIZED: unauthorized(fault.message),
        HTTPStatus.UNPROCESSABLE_ENTITY: invalid({"base": [fault.message]}),
        HTTPStatus.TOO_MANY_REQUESTS: Refusal(429, {"error": fault.message}),
        HTTPStatus.INTERNAL_SERVER_ERROR: Refusal(500, {"status": 500, "error": "Internal Server Error"}),
    }[status]
    return Answer(line, (_JSON, *retry), json.dumps(refusal.body).encode())
