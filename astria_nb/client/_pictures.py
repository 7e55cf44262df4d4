"""The pictures of a client: those it inspects, and those that prompts made."""

from __future__ import annotations

from contextlib import AbstractContextManager
from os import PathLike

from astria_nb.client import _replies as replies
from astria_nb.client import responses
from astria_nb.client._client_base import ClientBase
from astria_nb.client._error_body import error_text
from astria_nb.client._own_names import add_own_names
from astria_nb.client._picture_stream import PictureStream
from astria_nb.client._replies import Json
from astria_nb.errors import ApiError, Problem, TuneError
from astria_nb.images import Image, filename_for_type, thumbnail
from astria_nb.tune import Body, check, encode_inspection
from astria_nb.utils.formatting import quoted

_NEUTRAL_NAME = "1.jpg"
_INSPECTION_SIDE = 512  # pixels, as the API's documents ask for (astria-api, section 10)


class PictureMethods(ClientBase):
    """Photos that the service inspects, and pictures that prompts made."""

    def inspect(self, image: str | PathLike[str] | Image, *, name: str) -> Json:
        """Let the service inspect a training image: why it may be unsuitable, and what it shows.

        A copy of at most 512 pixels a side is sent, turned upright and without metadata, as ``1.jpg``. A
        sandbox receives the file's own name, which can determine its answer.

        Parameters
        ----------
        image : path, web address or Image
            The service downloads a web address itself.
        name : str
            The class to train, such as ``woman``.

        Returns
        -------
        dict
            The service's answer (astria-api, section 10); any key may be missing.

        Raises
        ------
        TuneError
            The image cannot be read, or the class is not text. Nothing was sent.

        Examples
        --------
        >>> import astria_nb as anb
        >>> with anb.Sandbox() as sandbox:
        ...     sandbox.client().inspect("https://example.com/wearing_hat.jpg", name="man")["wearing_hat"]
        True
        """
        if isinstance(image, str) and image.lower().startswith(("https://", "http://")):
            _check(name=name, image_urls=[image])
            return self._inspect(encode_inspection(name, url=image))
        _check(name=name)
        image = image if isinstance(image, Image) else Image.open(image)
        try:
            copy = thumbnail(image.path, _INSPECTION_SIDE)
        except OSError as error:
            reason = str(error)
        else:
            # A sandbox belongs to the user, and a file's name can determine its answer.
            is_sandbox = self._transport.key.is_of_sandbox
            filename = filename_for_type(image.filename, "image/jpeg") if is_sandbox else _NEUTRAL_NAME
            own_name = "" if is_sandbox else image.filename
            return self._inspect(encode_inspection(name, file=(filename, copy), own_name=own_name))
        raise TuneError(Problem("images", f"{quoted(image.filename)} {reason}", "re-save it, or remove it"))

    def picture(self, url: str) -> bytes:
        """Return a picture of at most 50 MiB. The key is not sent: pictures are public, on other hosts.

        Use `open_picture` for anything larger, such as a video.

        Parameters
        ----------
        url : str
            An address from the column ``images`` of `astria_nb.prompts`.

        Returns
        -------
        bytes
            The file, such as a JPEG.

        Raises
        ------
        AstriaError
            The picture cannot be fetched.

        Examples
        --------
        >>> import astria_nb as anb
        >>> tune = anb.Tune(pack=43, title="t", name="cat", image_urls=["https://example.com/1.jpg"])
        >>> with anb.Sandbox(deterministic=True) as sandbox:
        ...     client = sandbox.client()
        ...     row = anb.submit(tune, client)
        ...     sandbox.advance(3600)
        ...     addresses = anb.prompts(row, client).loc[0, "images"]
        ...     with client.open_picture(addresses[0]) as stream:
        ...         client.picture(addresses[0]) == b"".join(stream.blocks)
        True
        """
        return self._transport.picture(url)

    def open_picture(self, url: str) -> AbstractContextManager[PictureStream]:
        """Open a picture to read it block by block, in a ``with`` statement. Requested once, without the key.

        The picture may have up to 1 GiB; reading may take two minutes at most.

        Parameters
        ----------
        url : str

        Raises
        ------
        AstriaError
            The picture cannot be fetched. After an `ApiError` or a `NotSentError`, trying again may help.

        Examples
        --------
        As for `picture`.
        """
        return self._transport.open_picture(url)

    def _inspect(self, body: Body) -> Json:
        try:
            answer = replies.checked_object(self._transport.post_small("/images/inspect", body))
            if words := error_text(answer):
                raise responses.in_place_of("an inspection", words)
            return answer
        except ApiError as error:
            add_own_names(error, body.own_names)
            raise


def _check(**fields: object) -> None:
    """Raise an error unless these are valid as fields of a tune."""
    _, problems = check(fields)
    if wrong := [problem for problem in problems if problem.field in fields]:
        raise TuneError(*wrong)
