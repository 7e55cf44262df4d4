#!/usr/bin/env bash
# requests 2.34.2 with urllib3 2.8.0: a closed session keeps its connections open for as long as one of its answers is kept.
#
# Expected: `Session.close`, and leaving `with Session()`, close the connections. So it is with urllib3 1.26.15.
# Seen: the answer, though it was read to its end, refers to the pool of its connection, and urllib3 closes a pool only when nobody
# refers to it any more (since 1.26.16 and 2.0.3, so that threads do not close pools under each other). In a notebook an answer is kept by its variable, or by IPython's `Out`: the service, and its limit of
# connections for each client, see a connection until the kernel ends or the service's own time is up.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q requests==2.34.2
cat > "$folder/close.py" <<'P'
import gc
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import requests
import urllib3

has_ended = threading.Event()


class Service(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def finish(self):
        super().finish()
        has_ended.set()

    def log_message(self, *_):
        pass


service = ThreadingHTTPServer(("127.0.0.1", 0), Service)
service.daemon_threads = True
threading.Thread(target=service.serve_forever, daemon=True).start()
with requests.Session() as session:
    answer = session.get(f"http://127.0.0.1:{service.server_port}/")
assert answer.text == "ok"
del session
gc.collect()
print(f"requests {requests.__version__}, urllib3 {urllib3.__version__}")
print("the session closed, its answer kept: connection", "ended" if has_ended.wait(3) else "open")
del answer
gc.collect()
print("the answer deleted: connection", "ended" if has_ended.wait(30) else "open")
P
seen=$(
    for version in 2.8.0 1.26.15; do
        "$folder/venv/bin/pip" install -q "urllib3==$version"
        "$folder/venv/bin/python" "$folder/close.py"
    done
)
printf '%s\n' "$seen"
diff <(printf '%s\n' "$seen") - <<'EXPECTED'
requests 2.34.2, urllib3 2.8.0
the session closed, its answer kept: connection open
the answer deleted: connection ended
requests 2.34.2, urllib3 1.26.15
the session closed, its answer kept: connection ended
the answer deleted: connection ended
EXPECTED
echo "as described"
