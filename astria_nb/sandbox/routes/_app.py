"""The API as a WSGI application: its routes, access control, and errors."""

import logging
from collections.abc import Callable, Iterable
from functools import cache
from typing import TYPE_CHECKING
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from flask import Flask, jsonify, request
from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, Rule

from astria_nb.sandbox._errors import Refusal, not_found
from astria_nb.sandbox.routes._images import ImageRoutes
from astria_nb.sandbox.routes._packs import PackRoutes
from astria_nb.sandbox.routes._prompts import PromptRoutes
from astria_nb.sandbox.routes._service import Service
from astria_nb.sandbox.routes._tunes import TuneRoutes

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

log = logging.getLogger("astria_nb.sandbox")

_GALLERY = ("gallery_packs", "gallery_tunes")


def make_app(service: Service) -> WSGIApplication:
    """Return the API of one sandbox."""
    app = Flask("astria_nb.sandbox", static_folder=None)
    app.json.sort_keys = app.json.ensure_ascii = False  # type: ignore[attr-defined]  # of Flask's own provider
    app.json.mimetype = "application/json; charset=utf-8"  # type: ignore[attr-defined]
    _add_routes(app, service)

    # Pictures need no key: their addresses cannot be guessed.
    public = {None, "picture", *(() if service.options.gallery_needs_key else _GALLERY)}

    @app.before_request
    def check_access() -> None:
        service.guard.check_site(request.headers.get("Host"), request.headers.get("Origin"))
        if request.endpoint not in public:
            service.guard.check_key(request.headers.get("Authorization"))

    @app.errorhandler(Refusal)
    def refuse(refusal: Refusal) -> "ResponseReturnValue":
        key = service.options.error_key
        body = {key if name == "error" else name: value for name, value in refusal.body.items()}
        return jsonify(body), refusal.status

    app.register_error_handler(HTTPException, lambda _: refuse(not_found()))
    app.register_error_handler(Exception, _internal_error)
    return _RailsPaths(app)


def _add_routes(app: Flask, service: Service) -> None:
    """Register the method for each route (astria-api, section 2)."""
    packs, tunes = PackRoutes(service), TuneRoutes(service)
    prompts, images = PromptRoutes(service), ImageRoutes(service)
    routes: tuple[tuple[str, str, Callable[..., ResponseReturnValue]], ...] = (
        ("/packs", "GET", packs.packs),
        ("/packs", "POST", packs.create_pack),
        ("/gallery/packs", "GET", packs.gallery_packs),
        ("/p/<id_or_slug>", "GET", packs.pack),
        ("/p/<id_or_slug>/tunes", "POST", packs.run_pack),
        ("/users", "GET", packs.user),
        ("/pictures/<token>", "GET", packs.picture),
        ("/tunes", "GET", tunes.tunes),
        ("/tunes", "POST", tunes.create_tune),
        ("/gallery/tunes", "GET", tunes.gallery_tunes),
        ("/tunes/<int:id>", "GET", tunes.tune),
        ("/tunes/<int:id>", "PATCH PUT", tunes.change_tune),
        ("/tunes/<int:id>", "DELETE", tunes.delete_tune),
        ("/tunes/<int:id>/prompts", "GET", prompts.tune_prompts),
        ("/tunes/<int:id>/prompts", "POST", prompts.create_prompt),
        ("/tunes/<int:tune_id>/prompts/<int:id>", "GET", prompts.tune_prompt),
        ("/tunes/<int:tune_id>/prompts/<int:id>", "DELETE", prompts.delete_tune_prompt),
        ("/prompts", "GET", prompts.prompts),
        ("/prompts/<int:id>", "GET", prompts.prompt),
        ("/prompts/<int:id>", "DELETE", prompts.delete_prompt),
        ("/prompts/<int:id>/likes", "POST DELETE", prompts.likes),
        ("/prompts/<int:id>/like", "POST DELETE", prompts.like),
        ("/images/inspect", "POST", images.inspect),
    )
    app.url_map = _url_map(tuple((rule, methods, view.__name__) for rule, methods, view in routes))
    app.view_functions.update({view.__name__: view for _, _, view in routes})


@cache
def _url_map(routes: tuple[tuple[str, str, str], ...]) -> Map:
    """Return the map of (rule, methods, endpoint), shared by all sandboxes because it takes 8 ms to make."""
    return Map([Rule(rule, methods=methods.split(), endpoint=name) for rule, methods, name in routes])


class _RailsPaths:
    """Removes a trailing slash and the suffix `.json` from every path, as Rails does."""

    def __init__(self, app: WSGIApplication) -> None:
        self._app = app

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        environ["PATH_INFO"] = path.rstrip("/").removesuffix(".json") or "/"
        return self._app(environ, start_response)


def _internal_error(error: Exception) -> "ResponseReturnValue":
    log.error("a request failed", exc_info=error)
    return jsonify({"status": 500, "error": "Internal Server Error"}), 500
