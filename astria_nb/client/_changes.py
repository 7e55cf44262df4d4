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
    NotSentError,
    OutcomeUnknownError,
    Problem,
    RejectedError,
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
    except UnreachableError as error:  # its hint names the setting to change
        failure = error
    except NotSentError as error:
        failure = _with_hint(error, "nothing was changed; try again")
    except OutcomeUnknownError as error:
        failure = _outcome_unknown(tune_id, error.reason)
    except ApiError as error:
        if not responses.is_refusal(error):
            failure = _outcome_unknown(tune_id, responses.reason_of(error))
        else:
            # The service's words name no tune, and the reader may have asked for several.
            hint = f"tune {tune_id} was not changed"
            failure = _with_hint(error, hint) if isinstance(error, RejectedError) else error
    raise failure


def _with_hint(error: AstriaError, hint: str) -> AstriaError:
    error.args = tuple(replace(problem, hint=hint) for problem in error.problems)
    return error


def _outcome_unknown(tune_id: int, reason: str) -> OutcomeUnknownError:
    what = f"it is unknown whether tune {tune_id} was changed ({reason})"
    error = OutcomeUnknownError(Problem("id", what, f"look at client.tune({tune_id})"))
    error.reason = reason
    return error
