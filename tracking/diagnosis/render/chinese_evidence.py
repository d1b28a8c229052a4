"""The evidence lines of the rules in Chinese, sentence by sentence; names of curves, settings and files stay as they are."""

import re
from dataclasses import dataclass

#: A place in a template for what differs from line to line: "{share}".
PLACEHOLDER = re.compile(r"\{(\w+)\}")

#: Placeholders that hold words; what others hold are numbers and names, which stay.
WORDED = {"place", "source"}

#: Where something was seen and how it is known. What is not here is a name of somebody else's, which stays.
PLACES: tuple[tuple[str, str], ...] = (
    ("training input", "训练输入"),
    ("evaluation input", "评估输入"),
    ("target of the {loss} loss", "{loss} 损失的目标"),
    ("black", "黑色画面"),
    ("grey", "灰色画面"),
    ("mean_colour", "平均色"),
    ("average_8x8", "8x8 平均"),
    ("equal content", "内容相同"),
    ("same source", "出自同一源视频"),
    ("settings", "设置"),
    ("evaluation", "评估"),
    ("evaluation, before clamping", "评估，截断之前"),
    ("evaluation of the reference", "对参考模型的评估"),
    ("preflight", "预检"),
    ("preflight, target of the {loss} loss", "预检，{loss} 损失的目标"),
    ("preflight, round trip of the reference", "预检，参考模型的往返重建"),
    ("curve, later half", "曲线，后半段"),
    ("curve, median of its later half", "曲线，后半段的中位数"),
    ("curve, median of the last points", "曲线，最后几个点的中位数"),
    ("curve, mean", "曲线，平均值"),
    ("curve {curve}", "曲线 {curve}"),
    ("tag {tag}", "标签 {tag}"),
    ("formula of schedule.kind = {kind}", "按 schedule.kind = {kind} 的公式计算"),
)

#: The lines of the rules. Of several that fit the first is taken, so the more general stand at the end.
LINES: tuple[tuple[str, str], ...] = (
    # rules_data.py
    (
        "training - evaluation: gap = {implied} - {measured} = {gap} dB; 20·log10(255) = {double}, 20·log10(2) = {signed}",
        "训练 - 评估：差距 = {implied} - {measured} = {gap} dB；20·log10(255) = {double}，20·log10(2) = {signed}",
    ),
    ("PSNR = {psnr} dB (evaluation, pooled over clips)", "PSNR = {psnr} dB（评估，由各片段的平均误差算出）"),
    (
        "RMS({side} input - stored frames) = {difference} * their std > {limit} (preflight)",
        "RMS({side}输入 - 存储的帧) = {difference} * 存储帧的标准差 > {limit}（预检）",
    ),
    ("files on both sides of the split = {count} (preflight)", "训练集和验证集共有的文件数 = {count}（预检）"),
    ("frame shift = {frames} ({place})", "帧偏移 = {frames}（{place}）"),
    (
        "sine of the angle between the pull of the {name} loss and the way to its frames = {sine} > {limit} (preflight)",
        "{name} 损失的梯度方向与指向对应帧的方向之间夹角的正弦 = {sine} > {limit}（预检）",
    ),
    (
        "RMS(latents in training - latents of the reference now) = {difference} * std > {limit} (preflight)",
        "RMS(训练所用的潜变量 - 参考模型现在给出的潜变量) = {difference} * 标准差 > {limit}（预检）",
    ),
    (
        "std of the latents = {std}, not in [{low}, {high}] (preflight)",
        "潜变量的标准差 = {std}，不在 [{low}, {high}] 之内（预检）",
    ),
    (
        "PSNR of the round trip = {psnr} dB < {required} dB (reference {reference}, same clips)",
        "往返重建的 PSNR = {psnr} dB < {required} dB（参考模型 {reference}，相同片段）",
    ),
    # rules_output.py
    (
        "output_std / target_std = {output} / {target} = {ratio} < {limit} (evaluation)",
        "输出的标准差 / 目标的标准差 = {output} / {target} = {ratio} < {limit}（评估）",
    ),
    (
        "saturated share of the output = {share} > {limit} ({place})",
        "输出中位于或超出边界 0 和 1 的比例 = {share} > {limit}（{place}）",
    ),
    (
        "val/psnr = {psnr} dB < {other} dB of {place} (evaluation, same clips)",
        "val/psnr = {psnr} dB < {other} dB（{place}；评估，相同片段）",
    ),
    (
        "val/psnr = {best} dB at step {step}, {last} dB at step {end}: {fall} dB lost > {limit} dB (curve)",
        "val/psnr：第 {step} 步为 {best} dB，第 {end} 步为 {last} dB，下降 {fall} dB > {limit} dB（曲线）",
    ),
    (
        "train/psnr = {before} dB by step {step}, {after} dB by step {end}: {gain} dB gained > {limit} dB (curve, medians)",
        "train/psnr：第 {step} 步前为 {before} dB，第 {end} 步前为 {after} dB，提高 {gain} dB > {limit} dB（曲线，中位数）",
    ),
    (
        "steps = {steps} < {limit}: so few may be the whole cause (curves)",
        "步数 = {steps} < {limit}：原因可能只是步数太少（曲线）",
    ),
    # rules_start.py
    (
        "training.batch_size = {size} needs more memory than the {limit} MiB of the device (training)",
        "training.batch_size = {size} 所需的内存超过设备的 {limit} MiB（训练）",
    ),
    (
        "training.batch_size = {size} needs more memory than there is (training)",
        "training.batch_size = {size} 所需的内存不足（训练）",
    ),
    ("no half of {size} fits, down to 1 (tried)", "从 {size} 逐次减半直到 1，都不能容纳（已试）"),
    (
        "training.batch_size = {size} fits, with {peak} MiB at most (tried)",
        "training.batch_size = {size} 可以容纳，最多占用 {peak} MiB（已试）",
    ),
    ("training.batch_size = {size} fits (tried)", "training.batch_size = {size} 可以容纳（已试）"),
    # rules_study.py
    (
        "lead of the best trial = {lead} in score < {noise} = sqrt(2) * deviation between seeds ({count} repeats)",
        "最佳试验的 score 领先 {lead} < {noise} = sqrt(2) * 随机种子之间的标准差（共 {count} 次重复）",
    ),
    (
        "{name} = {value} lies at {percent} of {space} = [{low}, {high}] (logarithmic scale, best of {count} trials)",
        "{name} = {value} 位于 {space} = [{low}, {high}] 的 {percent} 处（对数刻度，{count} 次试验中的最佳）",
    ),
    # rules_training.py
    (
        "losses.{name} * loss/{same} / loss/total = {share} > {limit} (curves)",
        "losses.{name} * loss/{same} / loss/total = {share} > {limit}（曲线）",
    ),
    (
        "adam/starved_share = {share} > {limit}: root of the second moment below 10 * epsilon (curve)",
        "adam/starved_share = {share} > {limit}：二阶矩的平方根小于 10 * epsilon 的数值所占比例（曲线）",
    ),
    (
        "learning rate < {limit} * {peak} in {share} of the steps ({source})",
        "{share} 的步的学习率 < {limit} * {peak}（{source}）",
    ),
    ("gradient/clipped = {share} of the steps (curve, mean)", "gradient/clipped：{share} 的步被裁剪（曲线，平均值）"),
    (
        "reconstruction loss {first} -> {last} in {steps} steps on one batch (preflight)",
        "在同一批数据上训练 {steps} 步，重建损失 {first} -> {last}（预检）",
    ),
    ("reconstruction loss {first} -> {last} (preflight)", "重建损失 {first} -> {last}（预检）"),
    ("computing the loss raises {error} (preflight)", "计算该损失时报错：{error}（预检）"),
    ("the loss was not computed (preflight)", "该损失没有被计算（预检）"),
    ("gradient norm of the loss = {norm} (preflight)", "该损失的梯度范数 = {norm}（预检）"),
    ("{curve} was never logged: {count} points (curves)", "{curve} 从未被记录：{count} 个点（曲线）"),
    ("{curve} <= {share} ({count} points of the curve)", "{curve} <= {share}（曲线上的 {count} 个点）"),
    # rules_weights.py
    (
        "L2(start - file) / L2(file) = {difference}, {count} of {tensors} tensors differ from {file} (preflight)",
        "L2(初始权重 - 文件) / L2(文件) = {difference}，{tensors} 个张量中有 {count} 个与 {file} 不同（预检）",
    ),
    (
        "{count} tensors of the starting weights do not fit: {tensor}: missing ({checkpoint})",
        "初始权重中有 {count} 个张量对应不上：{tensor}：缺失（{checkpoint}）",
    ),
    (
        "{count} tensors of the starting weights do not fit: {tensor}: {shape} for {other} ({checkpoint})",
        "初始权重中有 {count} 个张量对应不上：{tensor}：形状为 {shape}，应为 {other}（{checkpoint}）",
    ),
    (
        "{count} tensors of the starting weights do not fit: {tensor} ({checkpoint})",
        "初始权重中有 {count} 个张量对应不上：{tensor}（{checkpoint}）",
    ),
    (
        "L2(weights - start) / L2(start) = {change} at step {step} ({checkpoint}); the rates up to there reach {reach} at most "
        "({source})",
        "第 {step} 步：L2(权重 - 初始权重) / L2(初始权重) = {change}（{checkpoint}）；"
        "到该步为止的学习率最多只能达到 {reach}（{source}）",
    ),
    (
        "weights/change = {change} < {limit} * {expected}, which is weights/expected_change (curves, median of the later half)",
        "weights/change = {change} < {limit} * {expected}，后者为 weights/expected_change（曲线，后半段的中位数）",
    ),
    (
        "the weights moved by {change} of their length in {steps} steps on one batch (preflight)",
        "在同一批数据上训练 {steps} 步，权重的变化只有其 L2 范数的 {change} 倍（预检）",
    ),
    (
        "learning rate at step {step} = {rate}, {share} of the peak ({source})",
        "第 {step} 步的学习率 = {rate}，为峰值的 {share}（{source}）",
    ),
    (
        "expected over these {steps} steps: shrink by 1 - exp(-{decay} * {total}) = {shrink} by weight decay alone",
        "这 {steps} 步的预期：仅权重衰减就应使权重缩小 1 - exp(-{decay} * {total}) = {shrink}",
    ),
    (
        "expected: drift of {walk} of the std as a random walk, sqrt(sum of squared rates) / std",
        "预期：按随机游走计算，权重应漂移标准差的 {walk}，即 sqrt(学习率的平方和) / 标准差",
    ),
    (
        "mean = {mean}, std = {std} at step {before} and at step {after}: equal to {digits} decimals",
        "第 {before} 步和第 {after} 步：均值 = {mean}，标准差 = {std}，{digits} 位小数全部相同",
    ),
    (
        "{share} of the values are bit for bit equal: {before}, {after}",
        "{before} 与 {after} 之间 {share} 的数值逐位相同",
    ),
    (
        "average/change = {change} < {limit}: the stored weights less the starting ones (curve)",
        "average/change = {change} < {limit}：保存的权重与初始权重之差（曲线）",
    ),
    (
        "{checkpoint} holds {kind}; at std = {std} a step of {rate} is below half a unit in the last place for "
        "{share} of the values",
        "{checkpoint} 以 {kind} 保存；标准差 = {std} 时，对 {share} 的数值来说，{rate} 的更新小于其精度的一半（半个 ULP）",
    ),
    (
        "L2({checkpoint} - start) / L2(start) = {change} < {limit}",
        "L2({checkpoint} - 初始权重) / L2(初始权重) = {change} < {limit}",
    ),
    # Of several rules: names, numbers and where they come from.
    ("{place}: min = {low}, max = {high} ({source})", "{place}：最小值 = {low}，最大值 = {high}（{source}）"),
    ("{training} = {validation}: {place} (preflight)", "{training} = {validation}：{place}（预检）"),
    ("{numbers} ({source})", "{numbers}（{source}）"),
)


@dataclass(frozen=True)
class Translation:
    """A template in English, as a pattern, and in Chinese."""

    pattern: re.Pattern[str]
    chinese: str


def translation(english: str, chinese: str) -> Translation:
    """Make a pattern of a template."""
    parts = PLACEHOLDER.split(english)
    pattern = "".join(f"(?P<{part}>.+?)" if index % 2 else re.escape(part) for index, part in enumerate(parts))
    return Translation(re.compile(pattern, re.DOTALL), chinese)


TRANSLATED_LINES = tuple(translation(*pair) for pair in LINES)
TRANSLATED_PLACES = tuple(translation(*pair) for pair in PLACES)


def in_chinese(evidence: str) -> str:
    """Translate an evidence line; the words of others, which no rule has written, stay as they are."""
    return translated(evidence, TRANSLATED_LINES)


def translated(text: str, translations: tuple[Translation, ...]) -> str:
    """Fill the Chinese of the first template that fits the whole text."""
    for one in translations:
        found = one.pattern.fullmatch(text)
        if found is not None:
            values = found.groupdict()
            values |= {name: translated(values[name], TRANSLATED_PLACES) for name in WORDED & values.keys()}
            return one.chinese.format(**values)
    return text
