"""The page of one run: what it reached, how it got there, what its pictures look like, what is wrong with it."""

from collections.abc import Sequence
from html import escape
from typing import Any

from model.evaluation.scores import METRICS
from tracking.diagnosis import Diagnosis, Evidence
from tracking.diagnosis.evidence import LOSSES
from tracking.diagnosis.rules_output import BLURRED_BASELINE, CONSTANT_BASELINES
from tracking.diagnosis.texts import title
from tracking.summary.chart import histogram, line_chart, number
from tracking.summary.pictures import Picture

#: Clips that are named at either end of the ranking by PSNR.
NAMED_CLIPS = 3

STYLE = """
:root{color-scheme:light dark;--ink:#1c1e21;--paper:#fff;--grid:#ddd;--soft:#666}
@media(prefers-color-scheme:dark){:root{--ink:#e6e6e6;--paper:#16181b;--grid:#383c42;--soft:#a0a4aa}
polyline,rect,circle,.legend i{filter:brightness(1.4)}}
*{box-sizing:border-box}body{font:15px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);max-width:1000px;
margin:0 auto;padding:12px}h1{font-size:1.4em;margin:.2em 0}h2{font-size:1.15em;margin:1.4em 0 .4em}p{margin:.4em 0}
h1,p,li,.name{overflow-wrap:anywhere}.charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,400px),1fr));gap:12px}
figure{margin:0}figcaption{font-weight:600}svg{width:100%;height:auto;display:block}svg text{fill:var(--soft);font-size:11px}
.grid{stroke:var(--grid);stroke-width:1}.level{stroke:var(--ink);stroke-width:1.2;stroke-dasharray:6 4}
.legend{display:flex;flex-wrap:wrap;gap:2px 12px;font-size:12px}
.legend i{display:inline-block;width:10px;height:10px;margin-right:4px}
table{border-collapse:collapse}td,th{white-space:nowrap;padding:2px 12px 2px 0;text-align:left;vertical-align:top}
img{max-width:100%;height:auto;display:block}
.scroll{overflow-x:auto}td.name{white-space:normal}.error{color:#d33}.warning{color:#b70}.soft{color:var(--soft)}
"""


def to_html(
    name: str, diagnosis: Diagnosis, evidence: Evidence, strips: Sequence[Picture], extremes: Sequence[Picture]
) -> str:
    """Write the page; it has no script and asks for nothing from outside.

    Args:
        name: of the run.
        diagnosis: of the run.
        evidence: that the diagnosis was made of.
        strips: the same validation clips after some steps.
        extremes: the clips with the lowest and the highest PSNR, the last picture is shown.
    """
    parts = [
        f"<h1>{escape(name)}</h1>",
        f"<p>{sentence(diagnosis, evidence)}</p>",
        score_table(evidence),
        section("Curves", f'<div class="charts">{"".join(charts(evidence))}</div>'),
        section("The same validation clips over the steps", "".join(map(strip_figure, strips)) or missing("pictures")),
        section("Clips", clip_part(evidence, extremes)),
        section("Diagnosis", finding_part(diagnosis)),
    ]
    head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{escape(name)}</title>'
    return f'<!doctype html><html lang="en"><head>{head}<style>{STYLE}</style></head><body>{"".join(parts)}</body></html>\n'


def section(heading: str, content: str) -> str:
    """A part of the page under its heading."""
    return f"<section><h2>{heading}</h2>{content}</section>"


def missing(what: str) -> str:
    """Say that the run has none of something."""
    return f'<p class="soft">This run has no {what}.</p>'


def sentence(diagnosis: Diagnosis, evidence: Evidence) -> str:
    """How far the run came, what it scored, and what is wrong first."""
    steps, wanted = evidence.last_step(), evidence.settings.get("training.steps")
    came = f"{steps} of {escape(str(wanted))} steps" if wanted is not None else f"{steps} steps"
    score = (evidence.evaluation or {}).get("score")
    reached = "not scored" if score is None else f"score {score:.2f}"
    broke = f" It broke off: {escape(diagnosis.failure)}." if diagnosis.failure else ""
    first = diagnosis.findings[0] if diagnosis.findings else None
    wrong = "no finding" if first is None else escape(title(first.code, "en", first.subject))
    return f'{came}, {reached}.{broke} Diagnosis: <b class="{diagnosis.verdict}">{diagnosis.verdict}</b> ({wrong}).'


def score_table(evidence: Evidence) -> str:
    """Every metric with its interval over clips, beside the trivial outputs and the reference."""
    if evidence.evaluation is None:
        return missing("evaluation")
    columns = {"this run": evidence.evaluation, **evidence.baselines}
    columns |= {} if evidence.reference is None else {"reference": evidence.reference}
    heads = "".join(f"<th>{escape(name.replace('_', ' '))}</th>" for name in columns)
    rows = []
    for name, metric in METRICS.items():
        values = [scores.get(name.removeprefix("val/")) for scores in columns.values()]
        if values[0] is not None:
            cells = "".join(f"<td>{'' if value is None else number(value)}</td>" for value in values)
            aim = "↑" if metric.better == "higher" else "↓"
            rows.append(f"<tr><th>{escape(f'{name} {metric.unit}'.strip())} {aim}</th>{cells}</tr>")
    return f'<div class="scroll"><table><tr><th></th>{heads}</tr>{"".join(rows)}</table></div>'


def charts(evidence: Evidence) -> list[str]:
    """All curves that the run has, in the order in which people ask."""
    curves, losses = evidence.curves, [*LOSSES, "total"]

    def group(prefix: str, names: Sequence[str]) -> dict[str, list[tuple[int, float]]]:
        return {name: curves[f"{prefix}{name}"] for name in names if f"{prefix}{name}" in curves}

    drawn = [
        line_chart("Score", group("", ["score"])),
        line_chart("PSNR, dB", group("", ["val/psnr", "train/psnr"]), levels=psnr_levels(evidence)),
        line_chart("SSIM", group("val/", ["ssim"])),
        line_chart("LPIPS", group("val/", ["lpips"])),
        line_chart("Flicker", group("val/", ["flicker"])),
        line_chart("Losses", group("loss/", losses), logarithmic=True),
        line_chart("Share of the weighted total", group("share/", LOSSES)),
        line_chart("Share of the gradient", group("gradient_share/", LOSSES)),
        line_chart(
            "Gradient norm against the clip",
            group("gradient/", ["norm"]),
            logarithmic=True,
            levels=clip_level(evidence),
        ),
        line_chart("Share of clipped steps", group("gradient/", ["clipped"])),
        line_chart("Learning rate", group("", ["learning_rate"])),
    ]
    return [chart for chart in drawn if chart] or [missing("curves")]


def psnr_levels(evidence: Evidence) -> dict[str, float]:
    """What the PSNR stands against: the best output without a picture, the blurred one, the reference."""
    constants = [evidence.baselines[name]["psnr"] for name in CONSTANT_BASELINES if name in evidence.baselines]
    levels = {"one colour": max(constants)} if constants else {}
    if BLURRED_BASELINE in evidence.baselines:
        levels["8x8 average"] = evidence.baselines[BLURRED_BASELINE]["psnr"]
    return levels | ({} if evidence.reference is None else {"reference": evidence.reference["psnr"]})


def clip_level(evidence: Evidence) -> dict[str, float]:
    """The norm above which gradients are clipped; none where they are not, or where a foreign run has words for it."""
    clip = evidence.settings.get("optimizer.max_gradient_norm")
    return {"clip": float(clip)} if isinstance(clip, int | float) and clip else {}


def strip_figure(picture: Picture) -> str:
    """One picture under its step."""
    caption = f"after step {picture.step}: input | reconstruction | difference x 4"
    return f'<figure><figcaption>{caption}</figcaption><img alt="{caption}" src="{picture.source}"></figure>'


def clip_part(evidence: Evidence, extremes: Sequence[Picture]) -> str:
    """How the PSNR is spread over clips, which clips stand at its ends, and their pictures."""
    clips: list[dict[str, Any]] = sorted((evidence.evaluation or {}).get("clips", ()), key=lambda clip: clip["psnr"])
    if not clips:
        return missing("scores of single clips")
    chart = histogram(f"{len(clips)} clips by PSNR", [clip["psnr"] for clip in clips], "dB")
    named = min(NAMED_CLIPS, len(clips) // 2)
    rows = [("worst", clip) for clip in clips[:named]] + [("best", clip) for clip in clips[len(clips) - named :][::-1]]
    table = "".join(
        f'<tr><td>{end}</td><td class="name">{escape(str(clip["name"]))}</td><td>{clip["psnr"]:.2f} dB</td></tr>'
        for end, clip in rows
    )
    shown = ""
    if extremes:
        caption = (
            f"step {extremes[-1].step}, the worst clips above, the best below: input | reconstruction | difference x 4"
        )
        shown = f'<figure><figcaption>{caption}</figcaption><img alt="{caption}" src="{extremes[-1].source}"></figure>'
    both = f'<div class="charts">{chart}<div class="scroll"><table>{table}</table></div></div>'
    return both + (shown or missing("pictures of these"))


def finding_part(diagnosis: Diagnosis) -> str:
    """Every finding with its numbers and its remedy; the whole diagnosis stands in diagnosis.md."""
    if not diagnosis.findings:
        text = "Nothing was found."
    else:
        text = "".join(
            f'<li><b class="{finding.severity}">{escape(title(finding.code, "en", finding.subject))}</b> '
            f"({finding.severity}, confidence {finding.confidence:.0%})<br>{escape('; '.join(finding.evidence))}"
            f"<br>{escape(finding.remedy)}</li>"
            for finding in diagnosis.findings
        )
        text = f"<ol>{text}</ol>"
    unmeasured = len(diagnosis.not_measured)
    return f"{text}<p class='soft'>{unmeasured} checks were not measured; diagnosis.md beside this page says which.</p>"
