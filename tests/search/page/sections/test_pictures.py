import re
from dataclasses import replace

import numpy as np

from search.page.evidence import PageEvidence, PictureColumn
from search.page.pictures import MOST_CHARACTERS, MOST_STEPS
from search.page.sections.pictures import LEAST_CELL_PX, draw, fitting, image, section


def test_the_slider_goes_over_the_steps_that_were_drawn(evidence: PageEvidence) -> None:
    text = section(evidence)
    assert 'data-steps="[2, 4]"' in text
    assert 'max="1" value="1"' in text
    assert re.findall(r"<figcaption>([^<]*)</figcaption>", text)[:2] == ["input", "reference"]
    assert re.findall(r"<figure class=\"(\w+)\"><figcaption>([^<]*)<", text) == [
        ("input", "input"),
        ("best", "best (trial 5)"),
    ]
    assert "it scrolls sideways" in text


def test_without_the_script_the_last_picture_of_each_column_is_seen() -> None:
    cells = np.zeros((48, 24, 3), np.uint8)
    text = draw(PictureColumn("a <b>", {4: (cells, cells), 2: (cells, cells)}))
    assert re.findall(r'data-step="(\d)"( hidden)?>', text) == [("2", " hidden"), ("4", "")]
    assert "a &lt;b&gt;" in text


def test_small_cells_are_enlarged_and_differences_stand_beside() -> None:
    cells = np.zeros((48, 24, 3), np.uint8)
    factor = LEAST_CELL_PX // 24
    assert f'width="{24 * factor}" height="{48 * factor}"' in image("input", 0, (cells, None), 80, hidden=False)
    assert f'width="{48 * factor}"' in image("best", 4, (cells, cells), 80, hidden=False)


def test_even_pictures_of_noise_fit_into_the_page() -> None:
    random = np.random.default_rng(0)
    cells = {step: random.integers(0, 256, (2, 9 * 64, 64, 3)).astype(np.uint8) for step in range(MOST_STEPS)}
    columns = [PictureColumn(str(number), {step: (a, b) for step, (a, b) in cells.items()}) for number in range(5)]
    assert len("".join(map(draw, columns))) > MOST_CHARACTERS
    text = fitting(columns)
    assert len(text) <= MOST_CHARACTERS
    assert text.count("<img") == 5 * MOST_STEPS


def test_what_is_not_in_the_record_is_said(evidence: PageEvidence) -> None:
    assert "Not in the record" in section(replace(evidence, pictures=()))
    assert "Not in the record" in section(replace(evidence, pictures=evidence.pictures[:2]))
