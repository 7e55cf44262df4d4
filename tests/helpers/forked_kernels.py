"""Kernels that are forked from a process which has imported the libraries: each starts a second earlier.

A run of the tests starts dozens. Each is a real ipykernel in a process of its own, which imports this package
itself. Jupyter starts, signals and ends a small program in its place, which hands all that on to it.
"""

import builtins
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

# `ipywidgets` and what imports it are not among them: they register with the kernel that imports them.
_LIBRARIES = (
    "ipykernel.kernelapp", "ipykernel.zmqshell", "IPython.core.completer", "pandas", "pyarrow.compute",
    "pyarrow.ipc", "requests", "PIL.Image", "sqlalchemy", "flask", "waitress",
)  # fmt: skip
_KERNEL = ("-m", "ipykernel_launcher")
_PATIENCE = 60.0  # seconds


def start(folder: Path) -> Callable[[], None]:
    """Have all kernels named "python3" forked; return what ends that.

    Parameters
    ----------
    folder : Path
        For the socket and for the kernel's specification, which Jupyter finds by `JUPYTER_PATH`.
    """
    address = str(folder / "socket")
    # -I -S: what only waits for the kernel's end needs none of the installed packages.
    command = [sys.executable, "-I", "-S", __file__, "run", address, "-f", "{connection_file}"]
    specification = {"argv": command, "display_name": "Python 3", "language": "python"}
    (folder / "kernels" / "python3").mkdir(parents=True)
    (folder / "kernels" / "python3" / "kernel.json").write_text(json.dumps(specification))
    os.environ["JUPYTER_PATH"] = os.pathsep.join(filter(None, [str(folder), os.environ.get("JUPYTER_PATH")]))
    process = subprocess.Popen(
        [sys.executable, "-P", __file__, "fork", address], stdin=subprocess.PIPE, start_new_session=True
    )

    def end() -> None:
        process.communicate()

    return end


def _fork(address: str) -> None:
    """Fork a kernel for each connection, until the tests end."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody asks how a kernel has ended
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    listener.bind(address)
    listener.listen()
    while listener in select.select([listener, sys.stdin], [], [])[0]:
        connection, _ = listener.accept()
        _import_libraries()
        if os.fork() == 0:
            listener.close()
            _become_a_kernel(connection)
            break
        connection.close()


def _import_libraries() -> None:
    """Import them as in a kernel, where pandas shows other widths than in a terminal."""
    builtins.get_ipython = lambda: SimpleNamespace(kernel=None)  # type: ignore[attr-defined]
    for library in _LIBRARIES:
        __import__(library)
    del builtins.get_ipython  # type: ignore[attr-defined]


def _become_a_kernel(connection: socket.socket) -> None:
    message, files, _, _ = socket.recv_fds(connection, 1 << 20, 3)
    if not message:  # ended before it began
        return
    order = json.loads(message)
    os.setsid()
    for standard, file in enumerate(files):
        os.dup2(file, standard)
        os.close(file)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.environ.clear()
    os.environ.update(order["environment"], JPY_PARENT_PID=str(os.getppid()))
    time.tzset()
    os.chdir(order["folder"])
    sys.argv = ["ipykernel_launcher", *order["arguments"]]
    connection.sendall(str(os.getpid()).encode())
    threading.Thread(target=_die_with, args=[connection], daemon=True).start()
    from ipykernel.kernelapp import launch_new_instance

    launch_new_instance()


def _die_with(connection: socket.socket) -> None:
    """End, as if killed, as soon as the program that Jupyter started ends."""
    connection.recv(1)
    os.kill(os.getpid(), signal.SIGKILL)


def _run(address: str, *arguments: str) -> None:
    """Have a kernel forked, pass signals on to it, and wait for its end; without a server, be the kernel."""
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    if not _is_connected(connection, address):
        os.execv(sys.executable, [sys.executable, *_KERNEL, *arguments])
    order = {"environment": dict(os.environ), "folder": os.getcwd(), "arguments": arguments}  # noqa: PTH109
    socket.send_fds(connection, [json.dumps(order).encode()], [0, 1, 2])
    kernel = int(connection.recv(100))
    for passed in (signal.SIGINT, signal.SIGTERM):
        signal.signal(passed, lambda number, _: os.kill(kernel, number))
    connection.recv(1)


def _is_connected(connection: socket.socket, address: str) -> bool:
    end = time.monotonic() + _PATIENCE
    while time.monotonic() < end:
        try:
            connection.connect(address)
        except (FileNotFoundError, ConnectionRefusedError):
            time.sleep(0.02)  # the tests have just begun
        else:
            return True
    return False


if __name__ == "__main__":
    {"fork": _fork, "run": _run}[sys.argv[1]](*sys.argv[2:])
