import subprocess
import sys


def test_torchvision_can_be_imported_afterwards_and_twice_does_no_harm():
    """In a process of its own: in this one torchvision may be imported already."""
    program = (
        "from model.network.operators import declare_missing_operators as declare\n"
        "declare()\nimport torchvision\ndeclare()\nprint(torchvision.__version__)"
    )
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("0.")
