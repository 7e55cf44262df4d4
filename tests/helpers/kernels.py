"""Real kernels, without a frontend."""

import sys
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

from jupyter_client.blocking import BlockingKernelClient
from jupyter_client.manager import KernelManager

from helpers.waiting import PATIENCE


def kernel(
    stack: ExitStack,
    environment: Mapping[str, str],
    folder: Path | None = None,
    *,
    has_libraries: bool = True,
) -> BlockingKernelClient:
    """Start a kernel in a folder, and end it with the stack; it may have the libraries loaded already."""
    manager = KernelManager(kernel_name="python3")
    if not has_libraries:
        assert manager.kernel_spec is not None
        manager.kernel_spec.argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    manager.start_kernel(env=dict(environment), cwd=None if folder is None else str(folder))
    stack.callback(manager.shutdown_kernel, now=True)
    client = manager.client()
    client.start_channels()
    stack.callback(client.stop_channels)
    return client


def run(client: BlockingKernelClient, code: str) -> str:
    """Run a cell and return what it prints; a cell that raises fails the test."""
    texts: list[str] = []

    def output(message: dict[str, object]) -> None:
        content = message["content"]
        assert isinstance(content, dict)
        texts.append(str(content.get("text", "")))

    answer = client.execute_interactive(code, timeout=PATIENCE, output_hook=output)
    content = answer["content"]
    assert content["status"] == "ok", content
    return "".join(texts)
