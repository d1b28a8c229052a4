"""The same validation frames through everything, with a slider over the steps."""

import json
from collections.abc import Sequence

from search.page.evidence import PageEvidence, PictureColumn
from search.page.frame import SIDEWAYS, escape, paragraph
from search.page.pictures import MOST_CHARACTERS, QUALITIES, Pixels, data_uri

#: A cell is shown at least so wide: frames of 24 px are seen enlarged.
LEAST_CELL_PX = 96


def section(page: PageEvidence) -> str:
    """Draw the grid, or say that the record has no pictures."""
    if not any(len(column.steps) > 0 and column.label not in ("input", "reference") for column in page.pictures):
        return paragraph("Not in the record: no complete trial has pictures there.")
    steps = sorted({step for column in page.pictures for step in column.steps if step > 0})
    slider = (
        f'<label class="steps">training step <input type="range" id="step" min="0" max="{len(steps) - 1}" '
        f'value="{len(steps) - 1}" data-steps="{json.dumps(steps)}"><output id="step-shown">step {steps[-1]}</output></label>'
    )
    note = (
        "First, middle and last frame of each shown validation clip, one below the other: output and, beside it, the difference "
        "to the input, four times amplified (grey: none, brighter: too bright)."
    )
    hint = paragraph(SIDEWAYS, "sideways")
    return paragraph(note, "dim") + slider + f'{hint}<div class="wide grid">{fitting(page.pictures)}</div>'


def fitting(columns: Sequence[PictureColumn]) -> str:
    """All columns, in the best quality that the page has room for."""
    for quality in QUALITIES:
        grid = "".join(draw(column, quality) for column in columns)
        if len(grid) <= MOST_CHARACTERS:
            break
    return grid


def draw(column: PictureColumn, quality: int = QUALITIES[0]) -> str:
    """One column: a picture for every step, the last of them shown until the script takes over."""
    steps = sorted(column.steps)
    pictures = "".join(
        image(column.label, step, column.steps[step], quality, hidden=step != steps[-1]) for step in steps
    )
    kind = f' class="{column.part}"' if column.part else ""
    return f"<figure{kind}><figcaption>{escape(column.label)}</figcaption>{pictures}</figure>"


def image(label: str, step: int, cells: tuple[Pixels, Pixels | None], quality: int, *, hidden: bool) -> str:
    """The cells of one step with their differences beside them."""
    import numpy as np

    output, difference = cells
    pixels = output if difference is None else np.concatenate([output, difference], axis=1)
    factor = -(-LEAST_CELL_PX // output.shape[1])
    size = f'width="{pixels.shape[1] * factor}" height="{pixels.shape[0] * factor}"'
    text = escape(f"{label}, step {step}" if step else label)
    return (
        f'<img src="{data_uri(pixels, quality)}" {size} alt="{text}" data-step="{step}"{" hidden" if hidden else ""}>'
    )
