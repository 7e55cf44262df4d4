"""A session for requests to a sandbox, and images to send."""

from io import BytesIO

import requests
from PIL import Image

from astria_nb.sandbox import SandboxServer


class Api(requests.Session):
    """Requests to one sandbox, by path."""

    def __init__(self, sandbox: SandboxServer) -> None:
        super().__init__()
        self.trust_env = False
        self.sandbox = sandbox
        self.headers["Authorization"] = f"Bearer {sandbox.api_key}"

    def request(self, method, url, *args, **kwargs):  # type: ignore[no-untyped-def]
        url = url if "://" in url else self.sandbox.url + url
        return super().request(method, url, *args, **{"timeout": 20, **kwargs})

    def train(self, pack: object = 43, **tune: object) -> requests.Response:
        """Run a pack, with defaults for the required fields."""
        fields = {"title": "t", "name": "man", "image_urls": ["https://example.com/1.jpg"]} | tune
        return self.post(f"/p/{pack}/tunes", json={"tune": fields})


def image_bytes(kind: str, size: tuple[int, int] = (64, 64)) -> bytes:
    out = BytesIO()
    Image.new("RGB", size, (120, 90, 60)).save(out, kind)
    return out.getvalue()
