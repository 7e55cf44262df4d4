"""Sixteen connections that send requests as fast as they are answered: prints what came back, and the time.

Run by ``sandbox.py`` as ``python clients.py HOST:PORT KEY form|json REQUESTS``.
"""

import collections
import http.client
import json
import sys
import threading
import time
from urllib.parse import urlencode

CONNECTIONS = 16
TUNE = {"title": "t", "name": "cat", "image_urls": ["https://example.com/1.jpg"]}


def body(encoding: str, number: int) -> tuple[str, str]:
    """Return the Content-Type and the body of a tune with a title of its own."""
    tune = TUNE | {"title": f"t-{number}"}
    if encoding == "json":
        return "application/json", json.dumps({"tune": tune})
    pairs = [(f"tune[{name}]", value) for name, value in tune.items() if isinstance(value, str)]
    return "application/x-www-form-urlencoded", urlencode(
        [*pairs, ("tune[image_urls][]", *tune["image_urls"])]
    )


def client(netloc: str, key: str, encoding: str, numbers: range, seen: "collections.Counter[object]") -> None:
    """Send tunes one after the other over one connection."""
    connection = http.client.HTTPConnection(netloc, timeout=30)
    for number in numbers:
        content_type, content = body(encoding, number)
        headers = {"Authorization": f"Bearer {key}", "Content-Type": content_type}
        try:
            connection.request("POST", "/p/797/tunes", content, headers)
            response = connection.getresponse()
            response.read()
            seen[response.status] += 1
        except (OSError, http.client.HTTPException) as error:
            seen[type(error).__name__] += 1
            connection.close()
    connection.close()


def main(netloc: str, key: str, encoding: str, count: str) -> None:
    """Send that many tunes and print statuses and seconds."""
    seen: collections.Counter[object] = collections.Counter()
    shares = [range(first, int(count), CONNECTIONS) for first in range(CONNECTIONS)]
    threads = [threading.Thread(target=client, args=(netloc, key, encoding, share, seen)) for share in shares]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(json.dumps([{str(status): times for status, times in seen.items()}, time.perf_counter() - started]))


if __name__ == "__main__":
    main(*sys.argv[1:])
