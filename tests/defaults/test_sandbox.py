"""The sandbox as users start it, and that an account needs none."""

import subprocess
import sys

import pytest

import astria_nb as anb
from astria_nb.errors import SandboxError


def test_a_port_that_is_taken_is_named_with_what_to_do() -> None:
    with anb.Sandbox() as first:
        port = int(first.url.rpartition(":")[2])
        with pytest.raises(
            SandboxError, match=rf"port: {port} cannot be used \(.*; choose another one, or 0"
        ):
            anb.Sandbox(port=port).start()


@pytest.mark.parametrize("port", [0, 8123])
def test_a_host_of_another_machine_is_named_with_what_to_do(port: int) -> None:
    # An address for documentation, which no machine has.
    match = r"host: '192\.0\.2\.1' cannot be used \(.*; give an address of this machine, such as '127"
    with pytest.raises(SandboxError, match=match):
        anb.Sandbox(host="192.0.2.1", port=port).start()


def test_a_form_for_an_account_loads_no_sandbox() -> None:
    program = (
        "import sys, astria_nb as anb; anb.TuneForm, anb.Client; print('astria_nb.sandbox' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.split() == ["False"], done.stderr
