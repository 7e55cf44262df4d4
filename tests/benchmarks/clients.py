"""Send requests over 16 connections as fast as they are answered; print the statuses and the seconds.

Run by the case ``sandbox`` as ``python clients.py HOST:PORT KEY form|json REQUESTS``.
"""

import http.client
import json
import sys
import threading
import time
from collections import Counter
from urllib.parse import urlencode

CONNECTIONS = 16
TUNE = {"title": "t", "name": "cat", "image_urls": ["https://example.com/1.jpg"]}


def body(encoding: str, number: int) -> tuple[str, str]:
    """Return the Content-Type and the body of a tune with a unique title."""
    tune = TUNE | {"title": f"t-{number}"}
    if encoding == "json":
        return "application/json", json.dumps({"tune": tune})
    pairs = [(f"tune[{name}]", value) for name, value in tune.items() if isinstance(value, str)]
    return "application/x-www-form-urlencoded", urlencode(
        [*pairs, ("tune[image_urls][]", *tune["image_urls"])]
    )


def client(netloc: str, key: str, encoding: str, numbers: range, statuses: Counter[object]) -> None:
    """Send tunes one after the other over one connection."""
    connection = http.client.HTTPConnection(netloc, timeout=30)
    for number in numbers:
        content_type, content = body(encoding, number)
        headers = {"Authorization": f"Bearer {key}", "Content-Type": content_type}
        try:
            connection.request("POST", "/p/797/tunes", content, headers)
            response = connection.getresponse()
            response.read()
            statuses[response.status] += 1
        except (OSError, http.client.HTTPException) as error:
            statuses[type(error).__name__] += 1
            connection.close()
    connection.close()


def main(netloc: str, key: str, encoding: str, count: str) -> None:
    """Send that many tunes and print the number of answers of each status, and the seconds."""
    statuses: Counter[object] = Counter()
    shares = [range(first, int(count), CONNECTIONS) for first in range(CONNECTIONS)]
    threads = [
        threading.Thread(target=client, args=(netloc, key, encoding, share, statuses)) for share in shares
    ]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(
        json.dumps(
            [{str(status): count for status, count in statuses.items()}, time.perf_counter() - started]
        )
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
