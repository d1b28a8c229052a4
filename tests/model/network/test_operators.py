import importlib
import subprocess
import sys

from model.network.operators import declare_missing_operators


def test_torchvision_can_be_imported_afterwards_and_twice_does_no_harm() -> None:
    declare_missing_operators()
    assert importlib.import_module("torchvision.ops").nms
    declare_missing_operators()


def test_a_call_that_no_import_followed_does_no_harm() -> None:
    """As when diffusers is asked for and is not installed; in a process of its own, for torchvision is imported in this one."""
    program = (
        "from model.network.operators import declare_missing_operators as declare\n"
        "declare()\ndeclare()\nimport torchvision.ops"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
