"""The API's routes as a WSGI application."""
