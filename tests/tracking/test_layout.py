import subprocess
import sys
from pathlib import Path

from tracking.layout import uri_of


def test_the_address_of_a_file_is_absolute() -> None:
    assert uri_of(Path("/record/mlflow.db")) == "sqlite:////record/mlflow.db"


def test_the_server_is_started_before_mlflow_is_imported() -> None:
    """Importing it takes as long as the server's own start, so the two must go side by side."""
    script = "import sys, tracking.ui, tracking.server, tracking.layout; raise SystemExit('mlflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], cwd=Path(__file__).parents[2], check=False).returncode == 0
