import re
from dataclasses import replace

import numpy as np

from search.page.evidence import PageEvidence, PictureColumn
from search.page.sections.pictures import LEAST_CELL_PX, draw, image, section


def test_the_slider_goes_over_the_steps_that_were_drawn(evidence: PageEvidence) -> None:
    text = section(evidence)
    assert 'data-steps="[2, 4]"' in text
    assert 'max="1" value="1"' in text
    assert re.findall(r"<figcaption>([^<]*)</figcaption>", text)[:2] == ["input", "reference"]


def test_without_the_script_the_last_picture_of_each_column_is_seen() -> None:
    cells = np.zeros((48, 24, 3), np.uint8)
    text = draw(PictureColumn("a <b>", {4: (cells, cells), 2: (cells, cells)}))
    assert re.findall(r'data-step="(\d)"( hidden)?>', text) == [("2", " hidden"), ("4", "")]
    assert "a &lt;b&gt;" in text


def test_small_cells_are_enlarged_and_differences_stand_beside() -> None:
    cells = np.zeros((48, 24, 3), np.uint8)
    factor = LEAST_CELL_PX // 24
    assert f'width="{24 * factor}" height="{48 * factor}"' in image("input", 0, (cells, None), hidden=False)
    assert f'width="{48 * factor}"' in image("best", 4, (cells, cells), hidden=False)


def test_what_is_not_in_the_record_is_said(evidence: PageEvidence) -> None:
    assert "Not in the record" in section(replace(evidence, pictures=()))
    assert "Not in the record" in section(replace(evidence, pictures=evidence.pictures[:2]))
