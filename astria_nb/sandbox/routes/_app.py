"""The API as a WSGI application: its routes, access control, and errors."""

import logging
from collections.abc import Callable, Iterable
from functools import cache
from typing import TYPE_CHECKING
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from flask import Flask, Response, jsonify, request
from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, Rule

from astria_nb.sandbox._errors import Refusal, not_found
from astria_nb.sandbox.routes._catalog import CatalogRoutes
from astria_nb.sandbox.routes._images import ImageRoutes
from astria_nb.sandbox.routes._packs import PackRoutes
from astria_nb.sandbox.routes._prompts import PromptRoutes
from astria_nb.sandbox.routes._service import Service
from astria_nb.sandbox.routes._tunes import TuneRoutes

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

log = logging.getLogger("astria_nb.sandbox")

_GALLERY = ("gallery_packs", "gallery_tunes", "gallery")
_PICTURES = ("picture", "picture_redirect")
"""Need no key, because their addresses cannot be guessed, and may be shown by any web page."""


def make_app(service: Service) -> WSGIApplication:
    """Return the API of one sandbox."""
    app = Flask("astria_nb.sandbox", static_folder=None)
    app.json.sort_keys = app.json.ensure_ascii = False  # type: ignore[attr-defined]  # of Flask's own provider
    app.json.mimetype = "application/json; charset=utf-8"  # type: ignore[attr-defined]
    _add_routes(app, service)

    public = {None, "cli_models", *_PICTURES, *(() if service.options.gallery_needs_key else _GALLERY)}
    guard = service.guard

    @app.before_request
    def check_access() -> Response | None:
        headers, endpoint = request.headers, request.endpoint
        host, origin = headers.get("Host"), headers.get("Origin")
        guard.check_host(host)
        service.address.ask(str(host))
        if endpoint in _PICTURES:
            return None
        guard.check_origin(origin)
        if request.method == "OPTIONS" and guard.allows(origin):
            return Response(status=204)
        if endpoint not in public:
            guard.check_key(headers.get("Authorization"))
        return None

    @app.after_request
    def allow_origin(response: Response) -> Response:
        if request.endpoint in _PICTURES:
            response.headers["Access-Control-Allow-Origin"] = "*"
        elif guard.allows(origin := request.headers.get("Origin")):
            response.headers.update(_for_origin(str(origin)))
        return response

    @app.errorhandler(Refusal)
    def refuse(refusal: Refusal) -> "ResponseReturnValue":
        if refusal.text is not None:
            return Response(
                refusal.text, refusal.status, refusal.headers, content_type="text/plain; charset=utf-8"
            )
        key = service.options.error_key
        body = {key if name == "error" else name: value for name, value in refusal.body.items()}
        return jsonify(body), refusal.status

    app.register_error_handler(HTTPException, lambda _: refuse(not_found()))
    app.register_error_handler(Exception, _internal_error)
    return _RailsPaths(app)


def _for_origin(origin: str) -> dict[str, str]:
    """Return the headers that make a browser let a page of an origin read an answer."""
    headers = {"Access-Control-Allow-Origin": origin, "Vary": "Origin"}
    if request.method == "OPTIONS":
        headers["Access-Control-Allow-Methods"] = "GET, POST, PUT, PATCH, DELETE"
        headers["Access-Control-Allow-Headers"] = request.headers.get("Access-Control-Request-Headers", "*")
        headers["Access-Control-Allow-Private-Network"] = "true"  # a public page may ask this machine
        headers["Access-Control-Max-Age"] = "600"
    return headers


def _add_routes(app: Flask, service: Service) -> None:
    """Register the method for each route (astria-api, section 2)."""
    packs, tunes = PackRoutes(service), TuneRoutes(service)
    prompts, images, catalog = PromptRoutes(service), ImageRoutes(service), CatalogRoutes(service)
    routes: tuple[tuple[str, str, Callable[..., ResponseReturnValue]], ...] = (
        ("/packs", "GET", packs.packs),
        ("/packs", "POST", packs.create_pack),
        ("/gallery/packs", "GET", packs.gallery_packs),
        ("/p/<id_or_slug>", "GET", packs.pack),
        ("/p/<id_or_slug>/tunes", "POST", packs.run_pack),
        ("/users", "GET", packs.user),
        ("/pictures/<token>", "GET", packs.picture),
        ("/rails/active_storage/blobs/redirect/<token>/<filename>", "GET", packs.picture_redirect),
        ("/plugin/models", "GET", catalog.plugin_models),
        ("/cli/models", "GET", catalog.cli_models),
        ("/workspaces", "GET", catalog.workspaces),
        ("/gallery", "GET", catalog.gallery),
        ("/themes", "POST", catalog.create_theme),
        ("/tunes", "GET", tunes.tunes),
        ("/tunes", "POST", tunes.create_tune),
        ("/gallery/tunes", "GET", tunes.gallery_tunes),
        ("/tunes/<int:id>", "GET", tunes.tune),
        ("/tunes/<int:id>", "PATCH PUT", tunes.change_tune),
        ("/tunes/<int:id>", "DELETE", tunes.delete_tune),
        ("/tunes/<int:id>/prompts", "GET", prompts.tune_prompts),
        ("/tunes/<int:id>/prompts", "POST", prompts.create_prompt),
        ("/tunes/<int:tune_id>/prompts/<int:id>", "GET", prompts.tune_prompt),
        ("/tunes/<int:tune_id>/prompts/<int:id>", "PATCH PUT", prompts.change_tune_prompt),
        ("/tunes/<int:tune_id>/prompts/<int:id>", "DELETE", prompts.delete_tune_prompt),
        ("/prompts", "GET", prompts.prompts),
        ("/prompts", "POST", prompts.create_prompt_of_field),
        ("/prompts/<int:id>", "GET", prompts.prompt),
        ("/prompts/<int:id>", "PATCH PUT", prompts.change_prompt),
        ("/prompts/<int:id>/duplicate", "POST", prompts.duplicate),
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
