"""Changes of a record on the service, which may cost money: sent once, with a reliable outcome."""

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
    NotSentError,
    OutcomeUnknownError,
    Problem,
    RejectedError,
    TooManyRequestsError,
    UnreachableError,
)
from astria_nb.tune import Body


def change_tune(transport: Transport, tune_id: int, fields: Mapping[str, Any]) -> None:
    """Change fields of a tune. Any success counts: some answers have no content.

    Parameters
    ----------
    transport : Transport
    tune_id : int
    fields : mapping
        The values sent under ``tune``.

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
    except UnreachableError as error:  # its hint names the setting to change
        failure = error
    except NotSentError as error:
        failure = _not_changed(tune_id, error, "try again")
    except OutcomeUnknownError as error:
        failure = _outcome_unknown(tune_id, error.reason)
    except ApiError as error:
        if not responses.is_refusal(error):
            has_words = isinstance(error, RejectedError) or (error.status < 300 and not error.page)
            reason = error.problems[0].what if has_words else responses.reason_of(error)
            failure = _outcome_unknown(tune_id, reason)
        else:
            has_words = isinstance(error, RejectedError | TooManyRequestsError)
            failure = _not_changed(tune_id, error) if has_words else error
    raise failure


def _not_changed(tune_id: int, error: AstriaError, next_step: str = "") -> AstriaError:
    """Name the tune in an error: the call may be for several tunes, some of which were changed."""
    error.args = tuple(
        replace(problem, hint=f"tune {tune_id} was not changed: {next_step or problem.hint}")
        for problem in error.problems
    )
    return error


def _outcome_unknown(tune_id: int, reason: str) -> OutcomeUnknownError:
    what = f"it is unknown whether tune {tune_id} was changed ({reason})"
    error = OutcomeUnknownError(Problem("id", what, f"look at client.tune({tune_id})"))
    error.reason = reason
    return error
