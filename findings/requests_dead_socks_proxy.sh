#!/usr/bin/env bash
# requests 2.32.5 with PySocks 1.7.1: a SOCKS proxy that nobody listens at is a plain ConnectionError that names only
# the host behind it, while an HTTP proxy that nobody listens at is a ProxyError.
#
# Expected: requests.exceptions.ProxyError in both cases, so that a program can tell "your proxy is down" from "the
# service is down".
# Seen on Python 3.11, Linux: for socks5:// and socks5h://, ConnectionError, no ProxyError in the chain of causes, and
# neither the proxy's address nor the word "proxy" in the message. A program has to look at the proxy settings itself.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q requests==2.32.5 PySocks==1.7.1
seen=$("$folder/venv/bin/python" - <<'P'
import socket

import requests

with socket.socket() as probe:  # bound and never listening, so that nobody else gets the port
    probe.bind(("127.0.0.1", 0))
    netloc = f"127.0.0.1:{probe.getsockname()[1]}"
    for scheme in ("socks5", "socks5h", "http"):
        try:
            requests.get("http://service.invalid/", proxies={"http": f"{scheme}://{netloc}"}, timeout=5)
        except requests.RequestException as error:
            names_proxy = "127.0.0.1" in str(error)
            print(scheme, type(error).__name__, names_proxy)
P
)
echo "$seen"
[ "$seen" = "socks5 ConnectionError False
socks5h ConnectionError False
http ProxyError True" ]
