"""Kernels and programs, forked from a process which has imported the libraries: each starts a second earlier.

A run of the tests starts dozens. Each is a real ipykernel, or a real program, in a process of its own, which
imports this package itself. Jupyter, or a test, starts, signals and ends a small program in its place, which
hands all that on to it, and ends as it ends.
"""

import builtins
import contextlib
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
from types import ModuleType, SimpleNamespace

# `ipywidgets` and what imports it are not among them: they register with the kernel that imports them.
_LIBRARIES = (
    "ipykernel.kernelapp", "ipykernel.zmqshell", "IPython.core.completer", "pandas", "pyarrow.compute",
    "pyarrow.ipc", "requests", "PIL.Image", "flask", "waitress",
)  # fmt: skip
_KERNEL = ["-m", "ipykernel_launcher"]
_ADDRESS = "FORKED_KERNELS"
_PASSED_ON = (signal.SIGINT, signal.SIGTERM)
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
    os.environ[_ADDRESS] = address
    command = [*python(), *_KERNEL, "-f", "{connection_file}"]
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


def python() -> list[str]:
    """Return what runs ``-c CODE ARGUMENT...`` as `sys.executable` does, in a forked process.

    A program that is killed may live a moment longer; its encoding is that of the tests.
    """
    address = os.environ.get(_ADDRESS)
    # -I -S: what only waits for the end of another needs none of the installed packages.
    return [sys.executable, *(["-I", "-S", __file__, "run", address] if address else [])]


def _fork(address: str) -> None:
    """Fork a process for each connection, until the tests end; tell how each has ended."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    listener.bind(address)
    listener.listen()
    running: dict[int, tuple[int, socket.socket]] = {}
    while True:
        ready = select.select([listener, sys.stdin, *running], [], [])[0]
        if sys.stdin in ready:
            return
        for ended in running.keys() & ready:
            process, connection = running.pop(ended)
            os.close(ended)
            with contextlib.suppress(OSError):  # nobody waits for it
                connection.sendall(str(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])).encode())
            connection.close()
        if listener in ready:
            connection, _ = listener.accept()
            _import_libraries()
            process = os.fork()
            if process == 0:
                listener.close()
                _become(connection)
                return
            running[os.pidfd_open(process)] = process, connection


def _import_libraries() -> None:
    """Import them as in a kernel, where pandas shows other widths than in a terminal."""
    builtins.get_ipython = lambda: SimpleNamespace(kernel=None)  # type: ignore[attr-defined]
    for library in _LIBRARIES:
        __import__(library)
    del builtins.get_ipython  # type: ignore[attr-defined]


def _become(connection: socket.socket) -> None:
    """Become the kernel, or the program, that is ordered."""
    message, files, _, _ = socket.recv_fds(connection, 1 << 20, 3)
    if not message:  # ended before it began
        return
    order = json.loads(message)
    os.setsid()
    for standard, file in enumerate(files):
        os.dup2(file, standard)
        os.close(file)
    os.environ.clear()
    os.environ.update(order["environment"])
    time.tzset()
    os.chdir(order["folder"])
    connection.sendall(str(os.getpid()).encode())
    threading.Thread(target=_die_with, args=[connection], daemon=True).start()
    arguments = order["arguments"]
    if arguments[:2] == _KERNEL:
        _be_a_kernel(arguments[2:])
    else:
        _be_a_program(arguments)


def _be_a_kernel(arguments: list[str]) -> None:
    os.environ["JPY_PARENT_PID"] = str(os.getppid())
    sys.argv = ["ipykernel_launcher", *arguments]
    from ipykernel.kernelapp import launch_new_instance

    launch_new_instance()


def _be_a_program(arguments: list[str]) -> None:
    """Run code, given as after ``python -c``; what it raises ends this process."""
    option, code, *others = arguments
    assert option == "-c", "no other way to run a program can be forked"
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        stream = open(number, "r" if number == 0 else "w", buffering=1, closefd=False)  # noqa: SIM115
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)
    sys.argv = ["-c", *others]
    sys.path[:0] = ["", *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    main = ModuleType("__main__")
    sys.modules["__main__"] = main
    exec(compile(code, "<string>", "exec"), main.__dict__)


def _die_with(connection: socket.socket) -> None:
    """End, as if killed, as soon as the program that Jupyter started ends."""
    connection.recv(1)
    os.kill(os.getpid(), signal.SIGKILL)


def _run(address: str, *arguments: str) -> None:
    """Have a process forked, pass signals on to it, and end as it ends; without a server, be that process."""
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    if not _is_connected(connection, address):
        os.execv(sys.executable, [sys.executable, *arguments])
    signal.pthread_sigmask(signal.SIG_BLOCK, _PASSED_ON)  # until it is known to whom they go
    order = {"environment": dict(os.environ), "folder": os.getcwd(), "arguments": arguments}  # noqa: PTH109
    socket.send_fds(connection, [json.dumps(order).encode()], [0, 1, 2])
    process = int(connection.recv(100))
    for passed in _PASSED_ON:
        signal.signal(passed, lambda number, _: os.kill(process, number))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _PASSED_ON)
    status = int(connection.recv(100) or 1)
    if status < 0:
        signal.signal(-status, signal.SIG_DFL) if -status != signal.SIGKILL else None
        os.kill(os.getpid(), -status)
    sys.exit(status)


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
