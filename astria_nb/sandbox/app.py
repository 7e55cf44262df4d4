"""The API as a WSGI application: routes, who is let in, and how errors look."""

from collections.abc import Iterable
from typing import TYPE_CHECKING
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from flask import Flask, jsonify, request
from werkzeug.exceptions import HTTPException

from .errors import Refusal, not_found
from .routes import Routes, Service
from .wire import log

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

_OPEN = "picture"
"""The one route without a key: whoever has a picture's address may see it."""


def make_app(service: Service) -> WSGIApplication:
    """Return the API of one sandbox."""
    app = Flask("astria_nb.sandbox", static_folder=None)
    app.config["PROVIDE_AUTOMATIC_OPTIONS"] = False
    app.json.sort_keys = app.json.ensure_ascii = False  # type: ignore[attr-defined]  # of Flask's own provider
    app.json.mimetype = "application/json; charset=utf-8"  # type: ignore[attr-defined]
    _add_routes(app, Routes(service))

    @app.before_request
    def admit() -> None:
        service.guard.check_site(request.headers.get("Host"), request.headers.get("Origin"))
        if request.endpoint is not None and request.endpoint != _OPEN:
            service.guard.check_key(request.headers.get("Authorization"))

    app.register_error_handler(Refusal, _refused)
    app.register_error_handler(HTTPException, _no_such_route)
    app.register_error_handler(Exception, _failed)
    return _RailsPaths(app)


def _add_routes(app: Flask, routes: Routes) -> None:
    for rule, view in (
        ("/packs", routes.packs),
        ("/gallery/packs", routes.gallery_packs),
        ("/p/<id_or_slug>", routes.pack),
        ("/tunes", routes.tunes),
        ("/tunes/<int:id>", routes.tune),
        ("/tunes/<int:id>/prompts", routes.tune_prompts),
        ("/tunes/<int:tune_id>/prompts/<int:id>", routes.tune_prompt),
        ("/prompts", routes.prompts),
        ("/prompts/<int:id>", routes.prompt),
        ("/users", routes.user),
        ("/pictures/<token>", routes.picture),
    ):
        app.add_url_rule(rule, view.__name__, view)
    app.add_url_rule("/p/<id_or_slug>/tunes", "run_pack", routes.run_pack, methods=["POST"])


class _RailsPaths:
    """Takes a trailing slash and a `.json` suffix off every path, as Rails does."""

    def __init__(self, app: WSGIApplication) -> None:
        self._app = app

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        environ["PATH_INFO"] = path.rstrip("/").removesuffix(".json") or "/"
        return self._app(environ, start_response)


def _refused(refusal: Refusal) -> "ResponseReturnValue":
    return jsonify(refusal.body), refusal.status


def _no_such_route(_: HTTPException) -> "ResponseReturnValue":
    return _refused(not_found())


def _failed(error: Exception) -> "ResponseReturnValue":
    log.error("a request failed", exc_info=error)
    return jsonify({"status": 500, "error": "Internal Server Error"}), 500
