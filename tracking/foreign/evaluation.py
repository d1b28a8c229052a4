"""The scores of a run from a JSON file: ours, or anybody's with psnr, ssim and lpips."""

import json
import math
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

#: Scores by their lower-case names; only the first must be there.
SCORES = ("psnr", "ssim", "flicker", "lpips", "overall")

#: What these can be: 8 bit pictures reach 48 dB, and -60 dB is an output a thousand times too bright.
POSSIBLE = {"psnr": (-60.0, 200.0), "ssim": (-1.0, 1.0), "flicker": (0.0, 2.0), "lpips": (0.0, 10.0)}

#: What our own evaluation says of its output, in numbers.
OUTPUT = ("output_mean", "output_std", "target_std", "saturated_share", "best_frame_shift")

#: What else our own evaluation says, kept as it is.
KEPT = ("intervals", "lpips_backbone", "step")

#: Of our yardsticks the one that is no trivial output.
REFERENCE = "reference"


@dataclass(frozen=True)
class Evaluation:
    """Scores as a diagnosis reads them, with those of trivial outputs and of the reference where the file has them."""

    scores: dict[str, Any]
    baselines: dict[str, dict[str, Any]] = field(default_factory=dict)
    reference: dict[str, Any] | None = None


def read_evaluation(path: Path) -> Evaluation:
    """Read an evaluation file.

    Raises:
        ValueError: the file is missing, no JSON, or has a score that is no number.
    """
    if not path.is_file():
        raise ValueError(f"--evaluation must be a file, but {path} is none; give a JSON file with psnr, ssim and lpips")
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"--evaluation must be JSON, but {path}: {error}; write it again") from error
    return parse_evaluation(content, str(path))


def parse_evaluation(content: Any, place: str) -> Evaluation:
    """Take an evaluation from JSON values; yardsticks (a tracked run's) hold the reference, baselines do not."""
    scores = parse_scores(content, place)
    tables: dict[str, Any] = {}
    for key in ("baselines", "yardsticks"):
        if key in content:
            require(isinstance(content[key], Mapping), place, f"{key} must be a table of scores", content[key])
            tables |= content[key]
    floors = {name: parse_scores(table, f"{place}, {name}") for name, table in tables.items()}
    reference = floors.pop(REFERENCE, None)
    return Evaluation(scores, floors, reference)


def parse_scores(content: Any, place: str) -> dict[str, Any]:
    """Check one set of scores; a score is a number or, as statistics over clips, a table with its mean."""
    require(isinstance(content, Mapping), place, 'an evaluation must be a table such as {"psnr": 28.1}', content)
    by_name = {str(key).lower(): value for key, value in content.items()}
    require("psnr" in by_name, place, "an evaluation must have psnr", sorted(by_name))
    scores: dict[str, Any] = {name: by_name[name] for name in KEPT if name in by_name}
    for name in (*SCORES, "score", *OUTPUT):
        value: Any = by_name.get(name)
        value = value.get("mean") if isinstance(value, Mapping) else value
        if value is not None or name == "psnr":
            require(is_number(value), place, f"{name} must be a finite number", value)
            low, high = POSSIBLE.get(name, (-math.inf, math.inf))
            require(low <= value <= high, place, f"{name} must lie in [{low:g}, {high:g}]", value)
            scores[name] = value
    if "clips" in by_name:
        require(isinstance(by_name["clips"], list), place, "clips must be a list", by_name["clips"])
        scores["clips"] = [
            dict(parse_scores(clip, f"{place}, clips"), name=clip.get("name")) for clip in by_name["clips"]
        ]
    return scores


def is_number(value: Any) -> bool:
    """Whether a value is a finite number, and no larger than a float can hold."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= sys.float_info.max


def require(holds: bool, place: str, rule: str, value: Any) -> None:
    """Refuse a file that breaks a rule."""
    if not holds:
        text = repr(value)
        raise ValueError(f"{rule}, but {place} has {text[:80]}{'...' if len(text) > 80 else ''}; write the file again")
