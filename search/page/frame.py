"""The frame of the page: one file with its style, its script and plotly.js, each inlined once."""

import functools
import html
from importlib.resources import files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import plotly.graph_objects as go

#: No address is allowed but those inside the file, whatever a record may hold.
POLICY = (
    "default-src 'none'; img-src data: blob:; style-src 'unsafe-inline'; script-src 'unsafe-inline' 'unsafe-eval'; "
    "font-src data:"
)


#: Stands above what may be wider than the screen; the page's script shows it where that is so.
SIDEWAYS = "Wider than this screen: it scrolls sideways."


def page(title: str, sections: list[tuple[str, str, str]]) -> str:
    """Return the whole file.

    Args:
        title: as text.
        sections: (anchor, heading as text, body as HTML), in the order of the page.
    """
    links = "".join(f'<a href="#{anchor}">{escape(heading)}</a>' for anchor, heading, _ in sections)
    bodies = "".join(
        f'<section id="{anchor}"><h2>{escape(heading)}</h2>{body}</section>' for anchor, heading, body in sections
    )
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        f"<title>{escape(title)}</title><style>{own_file('style.css')}</style></head><body><h1>{escape(title)}</h1>"
        f"<nav>{links}</nav>{bodies}<script>{plotly_js()}</script><script>{own_file('page.js')}</script></body></html>\n"
    )


@functools.cache
def own_file(name: str) -> str:
    """The text of a file beside this one."""
    return (files("search.page") / name).read_text(encoding="utf-8")


@functools.cache
def plotly_js() -> str:
    """The library that draws: inlined, because MLflow's viewer shows nothing of a page that asks for it elsewhere."""
    from plotly.offline import get_plotlyjs

    text: str = get_plotlyjs()
    return text


def escape(text: object) -> str:
    """Text that stays text, whatever a setting or a record holds."""
    return html.escape(str(text))


def paragraph(text: str, kind: str = "") -> str:
    """A paragraph of plain text; `kind` is "warning" or "note"."""
    return f"<p{f' class={kind}' if kind else ''}>{escape(text)}</p>"


def plot(figure: "go.Figure", caption: str, *, least_px: int = 0) -> str:
    """A figure that the page's script draws in the colours of the reader; `least_px` is the width below which it scrolls."""
    figure.update_layout(template="none", margin={"l": 24, "r": 16, "t": 40, "b": 24}, autosize=True)
    figure.update_layout(legend={"orientation": "h", "y": 1.02, "yanchor": "bottom"})
    # "<" occurs inside strings only, so no text of a figure can close the element.
    data = figure.to_json().replace("<", "\\u003c")
    style = f' style="min-width:{least_px}px"' if least_px else ""
    hint = paragraph(SIDEWAYS, "sideways") if least_px else ""
    height = figure.layout.height or 420
    return (
        f'<figure>{hint}<div class="wide"><div class="plot"{style} data-height="{height}"></div>'
        f'<script type="application/json">{data}</script></div><figcaption>{escape(caption)}</figcaption></figure>'
    )


def table(headings: list[str], rows: list[list[str]], *, sortable: bool = False) -> str:
    """A table of plain texts; a sortable one is ordered by a click on a heading."""
    cells = [[escape(cell) for cell in row] for row in rows]
    return raw_table(headings, cells, sortable=sortable)


def raw_table(headings: list[str], rows: list[list[str]], *, sortable: bool = False) -> str:
    """The same of cells that are HTML already."""
    kind = "<th><button type=button>{}</button></th>" if sortable else "<th>{}</th>"
    head = "".join(kind.format(escape(heading)) for heading in headings)
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    start = '<table class="sortable">' if sortable else "<table>"
    hint = paragraph(SIDEWAYS, "sideways")
    return f'{hint}<div class="wide">{start}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'
