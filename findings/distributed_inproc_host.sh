#!/usr/bin/env bash
# dask.distributed 2026.8.0: a LocalCluster in this process does not start if it is told to listen on 127.0.0.1.
#
# Expected: `host="127.0.0.1"`, which the documentation gives as what the scheduler listens on by default, changes nothing.
# Seen: with `processes=False` the protocol is "inproc://", in which the host becomes part of an address that is no
# address there; the error that is raised last says only that the scheduler failed to start. Without `host`, or with
# `protocol="tcp://"` beside it, the cluster starts.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q distributed==2026.8.0
cat >"$folder/cluster.py" <<'P'
import logging

from distributed import Client, LocalCluster

logging.disable(logging.CRITICAL)


def deepest(error):
    while error.__cause__ is not None:
        error = error.__cause__
    return error


if __name__ == "__main__":
    for options in ({}, {"host": "127.0.0.1"}, {"host": "127.0.0.1", "protocol": "tcp://"}):
        try:
            cluster = LocalCluster(n_workers=1, processes=False, dashboard_address="127.0.0.1:0", **options)
            with cluster, Client(cluster) as client:
                print(options, client.submit(sum, [1, 2]).result())
        except RuntimeError as error:
            print(options, error, "|", type(deepest(error)).__name__, deepest(error))
P
seen=$("$folder/venv/bin/python" "$folder/cluster.py")
printf '%s\n' "$seen"
[ "$seen" = "{} 3
{'host': '127.0.0.1'} Cluster failed to start: Scheduler failed to start. | ValueError not enough values to unpack (expected 3, got 1)
{'host': '127.0.0.1', 'protocol': 'tcp://'} 3" ]
