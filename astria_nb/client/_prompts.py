"""The prompts of a client."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from astria_nb.client import _replies as replies
from astria_nb.client import responses
from astria_nb.client._client_base import ClientBase
from astria_nb.client._replies import Json
from astria_nb.errors import (
    ApiError,
    AstriaError,
    NotFoundError,
    NotSentError,
    UnreachableError,
)
from astria_nb.utils.arguments import check_id


class PromptMethods(ClientBase):
    """Prompts: listed, looked up and liked."""

    def prompts(
        self, tune_id: int | None = None, *, before_id: int | None = None, limit: int | None = None
    ) -> Iterator[Json]:
        """Yield prompts as the API's JSON, newest first; pages are requested as they are needed.

        Parameters
        ----------
        tune_id : int, optional
            Only prompts that use this tune. Default: all of yours.
        before_id : int, optional
            Only prompts with a smaller id, which are older.
        limit : int, optional
            Maximum number of prompts; up to 120 take one request.

        Yields
        ------
        dict

        Raises
        ------
        NotFoundError
            The account has no such tune.
        AstriaError
            `tune_id` or `before_id` is not an id, or `limit` is not a number.

        Examples
        --------
        >>> import astria_nb as anb
        >>> tune = anb.Tune(pack=43, title="t", name="cat", image_urls=["https://example.com/1.jpg"])
        >>> with anb.Sandbox(deterministic=True) as sandbox:
        ...     client = sandbox.client()
        ...     row = anb.submit(tune, client)
        ...     [prompt] = client.prompts(row.loc[0, "id"], limit=1)
        ...     client.prompt(prompt["id"]) == prompt
        True
        """
        if tune_id is None:
            return replies.get_pages(self._transport, "/prompts", before_id, limit)
        tune_id = check_id("tune_id", tune_id)
        pages = replies.get_pages(self._transport, f"/tunes/{tune_id}/prompts", before_id, limit)
        return self._prompts_of(tune_id, pages)

    def prompt(self, id: int) -> Json:  # noqa: A002  the API's own name
        """Return one prompt as the API's JSON.

        Parameters
        ----------
        id : int

        Raises
        ------
        NotFoundError
            The account has no such prompt.

        Examples
        --------
        As for `prompts`.
        """
        return self._record("prompt", id)

    def like(self, prompt_id: int, liked: bool = True) -> None:
        """Like or unlike a prompt's pictures. Not retried: the endpoint may toggle.

        Parameters
        ----------
        prompt_id : int
        liked : bool
            False removes a like.

        Raises
        ------
        NotFoundError
            The account has no such prompt.
        NotSentError, ApiError
            The like may have taken effect, unless the service refused it: check the prompt's ``liked``.

        Notes
        -----
        A like also counts for the pack's template, and so for the order of the pack (astria-api, section 11).

        Examples
        --------
        >>> import astria_nb as anb
        >>> tune = anb.Tune(pack=43, title="t", name="cat", image_urls=["https://example.com/1.jpg"])
        >>> with anb.Sandbox(deterministic=True) as sandbox:
        ...     client = sandbox.client()
        ...     prompt_id = anb.prompts(anb.submit(tune, client), client).loc[0, "id"]
        ...     client.like(prompt_id)
        ...     bool(client.prompt(prompt_id)["liked"])
        True
        """
        prompt_id = check_id("prompt_id", prompt_id)
        try:
            self._transport.send_empty("POST" if liked else "DELETE", f"/prompts/{prompt_id}/likes")
            return
        except NotFoundError as error:
            failure: AstriaError = self._not_found("prompt_id", f"prompt {prompt_id}", error)
        except (NotSentError, ApiError) as error:
            failure = error
            if not _proves_nothing_changed(error):
                look = f"look at client.prompt({prompt_id})['liked'] first"
                hints = (replace(problem, hint=f"{problem.hint}, but {look}") for problem in error.problems)
                error.args = tuple(hints)
        raise failure

    def _prompts_of(self, tune_id: int, pages: Iterator[Json]) -> Iterator[Json]:
        try:
            yield from pages
            return
        except NotFoundError as error:
            failure = self._not_found("tune_id", f"tune {tune_id}", error)
        raise failure


def _proves_nothing_changed(error: AstriaError) -> bool:
    if isinstance(error, ApiError):
        return responses.is_refusal(error)
    return isinstance(error, UnreachableError)  # its hint names the setting to change
