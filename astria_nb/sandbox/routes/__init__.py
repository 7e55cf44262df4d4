"""The API's routes as a WSGI application."""

from astria_nb.sandbox.routes._app import make_app
from astria_nb.sandbox.routes._service import Service

__all__ = [
    "Service",
    "make_app",
]
