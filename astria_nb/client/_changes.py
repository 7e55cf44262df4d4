"""Changing a record of the service, which may cost money: sent once, with an honest outcome."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from astria_nb.client import responses
from astria_nb.client._transport import Transport
from astria_nb.errors import (
    ApiError,
    AstriaError,
    NotFoundError,
    NotSentError,
    OutcomeUnknownError,
    Problem,
    RejectedError,
)
from astria_nb.tune import Body


def change_tune(transport: Transport, tune_id: int, fields: Mapping[str, Any]) -> None:
    """Change fields of a tune. Any success counts: some answers have no content.

    Parameters
    ----------
    transport : Transport
    tune_id : int
    fields : mapping
        What is sent under ``tune``.

    Raises
    ------
    NotFoundError, RejectedError, UnauthorizedError, TooManyRequestsError, NotSentError
        Nothing was changed.
    OutcomeUnknownError
        The request was sent, but its answer does not say whether the tune was changed.
    """
    body = Body("json", "application/json", [json.dumps({"tune": fields}).encode()])
    failure: AstriaError
    try:
        transport.patch(f"/tunes/{tune_id}", body)
        return
    except (RejectedError, NotSentError) as error:
        failure = error
        is_proof = not isinstance(error, RejectedError) or error.status in responses.REFUSALS
    except OutcomeUnknownError as error:
        failure, is_proof = error, False
    except ApiError as error:
        failure, is_proof = error, error.status in responses.REFUSALS
    if not is_proof:
        reason = getattr(failure, "reason", "") or f"status {getattr(failure, 'status', 0)}"
        raise _outcome_unknown(tune_id, reason)
    if isinstance(failure, NotFoundError) or not isinstance(failure, RejectedError | NotSentError):
        raise failure
    failure.args = tuple(replace(problem, hint=_hint(failure)) for problem in failure.problems)
    raise failure


def _hint(failure: AstriaError) -> str:
    return "nothing was changed" if isinstance(failure, RejectedError) else "nothing was changed; try again"


def _outcome_unknown(tune_id: int, reason: str) -> OutcomeUnknownError:
    what = f"it is unknown whether tune {tune_id} was changed ({reason})"
    error = OutcomeUnknownError(Problem("id", what, f"look at client.tune({tune_id})"))
    error.reason = reason
    return error
