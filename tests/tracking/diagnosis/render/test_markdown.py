"""Text of others inside a page."""

import pytest
from markdown_it import MarkdownIt

from tracking.diagnosis.render.markdown import block, code, inline, line, short, table

NASTY = "a | b\nc `d` <b>e</b> [f](http://g) *h* __i__ &amp; 2 * 3 < 4 loss/x_y \\"


def html(lines: list[str]) -> str:
    return MarkdownIt("commonmark").enable("table").render("\n".join(lines))


def test_nasty_text_shows_as_it_is_in_a_table_cell() -> None:
    shown = html(table(["x", "y"], [[inline(NASTY), code("z")]]))
    cell = shown.split("<td>")[1].split("</td>")[0]
    assert shown.count("<td>") == 2
    expected = line(NASTY).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    assert cell == expected


def test_names_and_comparisons_stay_readable() -> None:
    plain = "gradient_share/encoder = 2 * 3 < 4 (curve)"
    assert inline(plain) == plain


@pytest.mark.parametrize("text", [NASTY, "```\n# heading", "plain"])
def test_a_block_shows_as_it_is(text: str) -> None:
    shown = html([*block([text]), "after"])
    assert shown.count("<pre>") == 1
    assert "<h1>" not in shown
    assert shown.endswith("<p>after</p>\n")


@pytest.mark.parametrize("text", ["x", "a `b` c", "``"])
def test_code_holds_backticks(text: str) -> None:
    assert html([code(text)]) == f"<p><code>{text}</code></p>\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("input/max = 0.0039215686274509803 (curve)", "input/max = 0.00392157 (curve)"),
        ("3.3333333333333335e-05, 12.000000001", "3.33333e-05, 12"),
        ("mean = 0.000858, std = 0.034912", "mean = 0.000858, std = 0.034912"),
        ("checkpoint-0.1234567890.pth", "checkpoint-0.1234567890.pth"),
        ("100000 steps of v1.2.34567890", "100000 steps of v1.2.34567890"),
    ],
)
def test_long_numbers_are_cut(text: str, expected: str) -> None:
    assert short(text) == expected
