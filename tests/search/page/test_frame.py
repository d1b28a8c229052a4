import html
import json
import re

import plotly.graph_objects as go

from search.page.frame import escape, own_file, page, paragraph, plot, plotly_js, raw_table, table


def test_the_page_has_its_files_once_and_its_sections_in_order() -> None:
    text = page("a <b>", [("one", "One & two", "<p>first</p>"), ("three", "Three", "")])
    assert text.startswith("<!doctype html>")
    assert "<title>a &lt;b&gt;</title>" in text
    assert text.count(plotly_js()) == text.count(own_file("page.js")) == text.count(own_file("style.css")) == 1
    assert re.findall(r'<section id="(\w+)"><h2>([^<]*)</h2>', text) == [("one", "One &amp; two"), ("three", "Three")]
    assert '<a href="#three">Three</a>' in text


def test_no_address_is_allowed() -> None:
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page("", []))
    assert policy
    assert "default-src 'none'" in policy[1]
    assert "http" not in policy[1]


def test_text_stays_text() -> None:
    assert escape('<a b="c">&') == "&lt;a b=&quot;c&quot;&gt;&amp;"
    assert paragraph("1 < 2", "note") == "<p class=note>1 &lt; 2</p>"


def test_the_data_of_a_figure_cannot_close_its_element() -> None:
    figure = go.Figure()
    figure.add_scatter(x=[1], y=[2], text=["</script><script>alert(1)</script>"])
    text = plot(figure, "a caption", least_px=700)
    data = re.search(r'<script type="application/json">(.*?)</script>', text)
    assert data
    assert json.loads(data[1])["data"][0]["text"] == ["</script><script>alert(1)</script>"]
    assert text.count("<script") == 1
    assert "min-width:700px" in text
    assert "it scrolls sideways" in text
    assert "sideways" not in plot(figure, "a caption")


def test_cells_are_text_unless_they_are_said_to_be_html() -> None:
    assert "<td>&lt;b&gt;</td>" in table(["head"], [["<b>"]])
    assert "<td><b>x</b></td>" in raw_table(["head"], [["<b>x</b>"]])


def test_a_sortable_table_has_buttons_that_a_keyboard_reaches() -> None:
    assert '<table class="sortable">' in table(["head"], [], sortable=True)
    assert "<th><button type=button>head</button></th>" in table(["head"], [], sortable=True)
    assert html.escape("<th>") not in table(["head"], [])
