"""The scores of the Chinese page: the summary at its top, and what to expect after the cure."""

from tracking.diagnosis.evidence import Evidence
from tracking.diagnosis.render.markdown import table
from tracking.diagnosis.render.next_command import is_foreign, train_command, trial_steps
from tracking.diagnosis.render.scores import (
    TITLES,
    USUAL_AFTER_1000_STEPS,
    Comparison,
    Standing,
    comparisons,
    differences_db,
    shown,
    shown_bound,
    shown_interval,
    shown_usual,
)

STANDINGS: dict[Standing, str] = {
    "far_off": "❌ **极差**",
    "below": "⚠️ **偏低**",
    "reached": "✅ **达到**",
    "not_measured": "❓ 未测量",
}

OUTPUTS = {
    "black": "黑色画面",
    "grey": "灰色画面",
    "mean_colour": "平均色",
    "average_8x8": "8x8 平均",
    "reference": "参考模型",
}

SOURCES = (
    "期望值：注明来源的在相同片段上测得（必须超过的平凡输出，以及参考模型自身往返重建的上限）；"
    "未注明来源的是良好模型的一般水平，不是在这些片段上测得的。"
)


def summary_lines(evidence: Evidence) -> list[str]:
    """The table of scores with what was to be expected, and where that comes from."""
    if evidence.study is not None and evidence.evaluation is None:
        return ["这是对一次搜索的诊断，没有单独的评估结果；各次试验的分数见搜索的报告。"]
    compared = sorted(
        comparisons(evidence), key=lambda one: one.metric.name == "score"
    )  # last: readers know the others
    rows = [
        [
            f"**{TITLES[one.metric.name]}**",
            own_cell(one),
            expectation(one),
            "❓ 无从比较" if one.value is not None and one.standing == "not_measured" else STANDINGS[one.standing],
        ]
        for one in compared
    ]
    gaps = [f"{OUTPUTS[name]} {gap:+.2f} dB" for name, gap in differences_db(evidence).items()]
    difference = ["", f"PSNR 相对各输出的差值：{'，'.join(gaps)}。"] if gaps else []
    return [*table(["指标", "实际值", "期望值", "状态"], rows), "", SOURCES, *difference]


def own_cell(one: Comparison) -> str:
    """The run's own value, with its 95 % interval over clips."""
    if one.value is None:
        return "未测量"
    if one.interval is None:
        return shown(one.metric, one.value)
    return f"{shown(one.metric, one.value)}（95 %：{shown_interval(one.metric, one.interval, '至')}）"


def expectation(one: Comparison) -> str:
    """What must be beaten on the same clips with the ceiling, else what good models reach."""
    parts = []
    if one.blurred is not None:
        parts.append(f"{shown_bound(one.metric, one.blurred)}（8x8 平均）")
    if one.constant is not None:
        parts.append(f"{shown_bound(one.metric, one.constant[1])}（{OUTPUTS[one.constant[0]]}）")
    if not parts and one.usual is not None:
        parts.append(shown_usual(one.metric, one.usual))
    if one.ceiling is not None:
        parts.append(f"上限 {shown(one.metric, one.ceiling)}（参考模型）")
    return "，".join(parts) or "未知"


def quick_check_lines(evidence: Evidence) -> list[str]:
    """What a short training must show; foreign runs are trained by their own commands."""
    steps = trial_steps(evidence)
    command = [] if is_foreign(evidence) else [f"    {train_command(evidence)}", ""]
    lines = [
        "- 训练运行到结束，诊断中不再出现上面的发现",
        *(f"- {TITLES[one.metric.name]}: {bound}" for one, bound in early_bounds(evidence)),
    ]
    if all(one.constant is None for one in comparisons(evidence)):
        lines.append("- 纯灰色的画面也能超过这两个数值：低于它们说明有问题，高于它们并不说明没有问题")
    return [f"### 快速验证（训练 {steps} 步后）", "", *command, "**期望结果**:", "", *lines, ""]


def early_bounds(evidence: Evidence) -> list[tuple[Comparison, str]]:
    """What a short training passes already: an output without a picture, else what is usual after 1000 steps."""
    bounds = []
    for one in comparisons(evidence):
        usual = USUAL_AFTER_1000_STEPS.get(one.metric.name)
        if one.constant is not None:
            name, value = one.constant
            bounds.append((one, f"{shown_bound(one.metric, value)}（{OUTPUTS[name]}）"))
        elif usual is not None:
            bounds.append((one, shown_usual(one.metric, usual)))
    return bounds


def full_check_lines(evidence: Evidence) -> list[str]:
    """What the end of a full training must show."""
    lines = [f"- {TITLES[one.metric.name]}: {expectation(one)}" for one in comparisons(evidence)]
    return ["### 完整验证（训练完成后）", "", "**期望结果**:", "", *lines, ""]
