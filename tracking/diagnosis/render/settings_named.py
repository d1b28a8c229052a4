"""Which settings a remedy names, and what they are now."""

import re

from tracking.diagnosis.evidence import Evidence

#: A setting of conf.toml inside a text: "losses.seraena".
SETTING = re.compile(r"(?<![\w./])[a-z_]+\.[a-z_0-9]+(?![\w/])")


def settings_named(text: str, evidence: Evidence) -> list[str]:
    """Say "losses.seraena = 0.3" for each setting that a text names and the run has, with its name there if another."""
    lines = []
    for name in dict.fromkeys(SETTING.findall(text)):
        if name in evidence.settings:
            origin = evidence.origins.get(name)
            lines.append(f"{name} = {shown_setting(evidence.settings[name])}" + (f" ({origin})" if origin else ""))
    return lines


def shown_setting(value: object) -> str:
    """Format a setting: at most six digits of a number."""
    return f"{value:.6g}" if isinstance(value, float) else str(value)
