"""The rules of the house, checked: who may import whom, how long a file may be, that settings and documents tell the truth."""

import ast
import importlib.util
import re
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import BaseModel

from model.settings import PROFILES, TABLES
from search.settings import Settings

ROOT = Path(__file__).resolve().parents[1]
SOURCES = sorted(path for part in ("model", "tracking", "search") for path in (ROOT / part).rglob("*.py"))

#: A package may import those to its left.
PACKAGES = ["model", "tracking", "search"]

#: The same inside model/; a file's place is its package's or its own. `cli` is for the commands of every part.
INSIDE_MODEL = [
    {"settings", "cli", "ranks", "threads"},
    {"data", "network"},
    {"recipe"},
    {"bank_size"},
    {"bank"},
    {"evaluation"},
    {"training"},
    {"preflight"},
    {"evaluate"},
]

#: Each of these libraries has one package that may import it.
ONLY_IN = {"mlflow": {"tracking"}, "optuna": {"search"}, "ray": {"search"}}

#: The one file that knows torchvision's missing CUDA libraries, and the one that knows Ray, which need not be installed.
ONLY_FILE = {
    "torchvision": "model/evaluation/perceptual.py",
    "lpips": "model/evaluation/perceptual.py",
    "ray": "search/workers/ray.py",
}


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            yield node.module or ""


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_imports_go_one_way(path: Path) -> None:
    package = name(path).split("/")[0]
    for module in imports(path):
        top = module.split(".")[0]
        if top in PACKAGES:
            assert PACKAGES.index(top) <= PACKAGES.index(package), f"{name(path)} imports {module}"
        assert package in ONLY_IN.get(top, {package}), f"{name(path)} imports {module}"
        assert name(path) == ONLY_FILE.get(top, name(path)), f"{name(path)} imports {module}"


def place_in_model(parts: list[str]) -> int:
    # A part's own settings class stands below everything, so that the recipe can be composed of them.
    key = "settings" if parts[-1] == "settings" else parts[0]
    return next(place for place, names in enumerate(INSIDE_MODEL) if key in names)


@pytest.mark.parametrize(
    "path", [p for p in SOURCES if name(p).startswith("model/") and p.name != "__init__.py"], ids=name
)
def test_imports_inside_model_go_one_way(path: Path) -> None:
    own = list(path.relative_to(ROOT / "model").with_suffix("").parts)
    for module in imports(path):
        parts = module.split(".")
        if parts[0] == "model" and len(parts) > 1:
            assert place_in_model(parts[1:]) <= place_in_model(own), f"{name(path)} imports {module}"


def test_files_are_short() -> None:
    lines = {name(path): len(path.read_text().splitlines()) for path in SOURCES}
    assert {path: count for path, count in lines.items() if count > 250} == {}


def test_every_source_file_has_its_test() -> None:
    missing = [
        name(path)
        for path in SOURCES
        if path.name not in ("__init__.py", "settings.py")
        and any(isinstance(node, ast.FunctionDef) for node in ast.walk(ast.parse(path.read_text())))
        and not (ROOT / "tests" / path.relative_to(ROOT)).with_name(f"test_{path.name}").exists()
    ]
    assert missing == []


def leaves(kind: type[BaseModel], prefix: str = "") -> set[str]:
    found: set[str] = set()
    for field, info in kind.model_fields.items():
        nested = info.annotation
        if isinstance(nested, type) and issubclass(nested, BaseModel):
            found |= leaves(nested, f"{prefix}{field}.")
        else:
            found.add(prefix + field)
    return found


def keys(tables: dict, stop: set[str], prefix: str = "") -> set[str]:
    found: set[str] = set()
    for key, value in tables.items():
        path = prefix + key
        found |= keys(value, stop, f"{path}.") if isinstance(value, dict) and path not in stop else {path}
    return found


def test_conf_toml_and_the_settings_classes_agree() -> None:
    conf = tomllib.loads((ROOT / "conf.toml").read_text())
    profiles = conf.pop("profile")
    known = leaves(Settings)
    assert keys(conf, known) == known
    assert tuple(conf) == tuple(Settings.model_fields) == TABLES
    assert set(profiles) == set(PROFILES)
    for tables in profiles.values():
        assert keys(tables, known) <= known


def test_every_setting_is_read_somewhere() -> None:
    text = "\n".join(path.read_text() for path in SOURCES if path.name != "settings.py")
    dead = [key for key in leaves(Settings) if not re.search(rf"\b{key.rsplit('.', 1)[-1]}\b", text)]
    assert dead == []


def documents() -> list[Path]:
    tracked = subprocess.run(["git", "ls-files", "*.md"], cwd=ROOT, capture_output=True, text=True, check=True)
    return [ROOT / line for line in tracked.stdout.split()] or [ROOT / "README.md"]


def test_commands_in_the_documents_exist() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for document in documents():
        text = document.read_text()
        for module in re.findall(r"python -m ((?:model|tracking|search)[\w.]*)", text):
            assert importlib.util.find_spec(module), f"{document.name} names python -m {module}"
        for target in re.findall(r"`make (\w+)`|^    make (\w+)", text, re.MULTILINE):
            assert (target[0] or target[1]) in targets, f"{document.name} names make {target}"


def test_links_in_the_documents_lead_somewhere() -> None:
    for document in documents():
        for link in re.findall(r"\]\(([^)#]+)\)", document.read_text()):
            assert "://" in link or (document.parent / link).exists(), f"{document.name} links to {link}"


#: The one large file: the report of a real study, for people to look at.
EXAMPLE_REPORT = "docs/examples/h200-study/report.html"


def test_no_file_in_git_is_large_but_the_example_report_of_at_most_8_mb() -> None:
    tracked = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    large = {
        file: (ROOT / file).stat().st_size
        for file in tracked
        if (ROOT / file).exists() and (ROOT / file).stat().st_size > 1_000_000
    }
    assert large.pop(EXAMPLE_REPORT, 0) <= 8_000_000
    assert large == {}


def test_nothing_ends_in_a_drawer() -> None:
    assert [name(path) for path in SOURCES if re.search(r"util|helper|manager|common|misc", path.stem)] == []
