#!/usr/bin/env bash
# requests 2.34.2 with urllib3 2.8.0: with allow_redirects=False, the Location header is parsed all the same, and an
# address that cannot be parsed raises a bare ValueError from get(). The answer, status and body, is lost.
#
# Expected: a 302 is returned as it came, since nothing is followed; or at least a RequestException, so that
# "except requests.RequestException" covers it, as it covers the same address when it is requested directly.
# Seen on Python 3.11: ValueError: Invalid IPv6 URL. Requested directly, the address raises InvalidURL.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q requests==2.34.2 urllib3==2.8.0
"$folder/venv/bin/python" - <<'P'
import http.server
import threading

import requests

UNPARSABLE = "http://[broken/"


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(302)
        self.send_header("Location", UNPARSABLE)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *arguments):
        pass


def error_of(url):
    session = requests.Session()
    session.trust_env = False
    try:
        session.get(url, allow_redirects=False, timeout=10)
    except Exception as error:
        return error
    return None


server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
redirected, direct = error_of(f"http://127.0.0.1:{server.server_port}/"), error_of(UNPARSABLE)
print("answered with that Location:", type(redirected).__name__, redirected)
print("requested directly:", type(direct).__name__, direct)
assert type(redirected) is ValueError, repr(redirected)
assert isinstance(direct, requests.exceptions.InvalidURL), repr(direct)
P
