"""A server that discards uploads as fast as it can: prints its port, runs until it is killed."""

import contextlib
import socket
import threading

ANSWER = b'{"id":1}'
HEAD = b"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(ANSWER)


def swallow(connection: socket.socket, buffer: bytearray) -> bool:
    """Read one request and answer it; return False if the connection was closed."""
    head = b""
    while b"\r\n\r\n" not in head:
        received = connection.recv(65536)
        if not received:
            return False
        head += received
    head, _, start = head.partition(b"\r\n\r\n")
    fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
    if fields.get(b"expect"):
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
    remaining = int(fields.get(b"content-length", 0)) - len(start)
    while remaining > 0:
        received = connection.recv_into(buffer)
        if not received:
            return False
        remaining -= received
    connection.sendall(HEAD + ANSWER)
    return True


def serve(connection: socket.socket) -> None:
    buffer = bytearray(1 << 20)
    with connection, contextlib.suppress(OSError):
        while swallow(connection, buffer):
            pass


def main() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        print(listener.getsockname()[1], flush=True)
        while True:
            threading.Thread(target=serve, args=[listener.accept()[0]], daemon=True).start()


if __name__ == "__main__":
    main()
