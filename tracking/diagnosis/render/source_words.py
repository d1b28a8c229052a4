"""The few English words of evidence lines in Chinese; names of curves and settings stay, because files hold them so."""

import re

#: A word of a sentence, no part of a name: names hold slashes, dots, underscores, brackets or are followed by them.
EDGE = r"(?<![\w./\-]){}(?![\w/\-]|\.\w)"

#: English (a pattern) to Chinese. Longer phrases stand before the words they hold.
PHRASES: tuple[tuple[str, str], ...] = (
    (r"in ([\d.]+%?) of the steps", r"占总步数的 \1"),
    (r"([\d.]+%?) of the steps", r"\1 的步"),
    (r"dB of", "dB，后者为"),
    (r"PSNR of the round trip", "往返重建的 PSNR"),
    (r"(\d+) points of the curve", r"曲线上的 \1 个点"),
    (r"median of its later half", "后半段的中位数"),
    (r"median of the last points", "最后几个点的中位数"),
    (r"pooled over clips", "各片段误差合并计算"),
    (r"before clamping", "截断之前"),
    (r"same clips", "相同片段"),
    (r"same settings", "相同设置"),
    (r"later half", "后半段"),
    (r"last points", "最后几个点"),
    (r"random walk", "随机游走"),
    (r"bit for bit", "逐位相同"),
    (r"equal content", "内容相同"),
    (r"same source", "同一源视频"),
    (r"mean_colour", "平均色"),
    (r"average_8x8", "8x8 平均"),
    (r"black", "黑色画面"),
    (r"grey", "灰色画面"),
    (r"reference", "参考模型"),
    (r"evaluation", "评估"),
    (r"settings?", "设置"),
    (r"curves?", "曲线"),
    (r"tags?", "标签"),
    (r"preflight", "预检"),
    (r"checkpoints?", "检查点"),
    (r"validation", "验证"),
    (r"training", "训练"),
    (r"trials?", "次试验"),
    (r"seeds?", "随机种子"),
    (r"study", "搜索"),
    (r"files?", "文件"),
    (r"clips?", "片段"),
    (r"frames?", "帧"),
    (r"points?", "个点"),
    (r"steps?", "步"),
    (r"tensors?", "张量"),
    (r"weights", "权重"),
    (r"values", "数值"),
    (r"gradient", "梯度"),
    (r"schedule", "学习率调度"),
    (r"horizon", "总步数"),
    (r"report", "报告"),
    (r"missing", "缺失"),
    (r"unexpected", "多余"),
    (r"identical", "相同"),
    (r"expected", "预期"),
    (r"measured", "实测"),
    (r"greatest", "最大值"),
    (r"least", "最小值"),
    (r"median", "中位数"),
    (r"mean", "均值"),
    (r"std", "标准差"),
    (r"start", "起点"),
    (r"best", "最佳"),
    (r"and", "和"),
    (r"or", "或"),
    (r"to", "至"),
)

COMPILED = tuple((re.compile(EDGE.format(f"(?:{pattern})")), chinese) for pattern, chinese in PHRASES)


def in_chinese(evidence: str) -> str:
    """Translate the words of an evidence line that are no names."""
    for pattern, chinese in COMPILED:
        evidence = pattern.sub(chinese, evidence)
    return evidence
