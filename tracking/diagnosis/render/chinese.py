"""The Chinese page, with the headings that readers of the failed run's report know, filled from what was measured."""

from tracking.diagnosis.evidence import Evidence
from tracking.diagnosis.findings import CODES, Diagnosis, Finding
from tracking.diagnosis.render.checklist import CHECKLIST
from tracking.diagnosis.render.checks import found, new_evidence, num_measured, outcome, passed
from tracking.diagnosis.render.chinese_evidence import in_chinese
from tracking.diagnosis.render.chinese_scores import full_check_lines, quick_check_lines, summary_lines
from tracking.diagnosis.render.markdown import block, code, inline, short, table
from tracking.diagnosis.render.next_command import Purpose, next_command
from tracking.diagnosis.render.settings_named import settings_named
from tracking.diagnosis.text_chinese import WORDS
from tracking.diagnosis.texts import remedy, title

RULE = ["---", ""]

MARKS = {"error": "❌", "warning": "⚠️", "info": "ℹ️"}

NEXT: dict[Purpose, str] = {
    "check_fix": "修复之后，用短训练确认问题已消失（可用 `--config` 指定与本页同目录的 conf.toml）：",
    "search_again": "按上面的建议扩大搜索空间，然后再次搜索：",
    "confirm": "用新的随机种子重复最佳设置和所有基线（研究的 conf.toml 与本页同目录）：",
    "diagnose_again": "修复并重新训练之后，用新的训练留下的全部文件再次诊断：",
    "measure_more": "用这次训练留下的全部文件再次诊断：",
    "begin": "已测量的项目没有反对开始训练的理由；开始训练：",
    "compare": "没有发现需要修复的问题；与其他训练作比较：",
}


def chinese_page(diagnosis: Diagnosis, evidence: Evidence) -> str:
    """Write the page: scores, conclusion, findings, causes, steps, checks of the cure, checklist, what to do now."""
    sections = [
        ["# 🔍 模型评估诊断报告", "", "## 📊 评估结果摘要", "", *summary_lines(evidence), "", *conclusion(diagnosis)],
        ["## 🔎 根本原因分析", "", *analysis(diagnosis)],
        ["## 🎯 可能的原因", "", *causes(diagnosis)],
        ["## 🔧 推荐的修复步骤", "", *steps(diagnosis, evidence)],
        ["## 📊 验证修复效果", "", *proof(diagnosis, evidence)],
        ["## 🎯 快速诊断检查清单", "", *checklist(diagnosis)],
        ["## 💡 总结", "", *summary(diagnosis)],
        ["## 📞 下一步行动", "", *actions(diagnosis, evidence)],
    ]
    lines = [line for section in sections for line in (*RULE, *section)][len(RULE) :]
    return "\n".join(lines) + "\n"


def name(finding: Finding) -> str:
    """What a finding means."""
    return inline(title(finding.code, "zh", finding.subject))


def conclusion(diagnosis: Diagnosis) -> list[str]:
    """What is wrong first, and how much was looked at."""
    lines = [f"### 结论：**{sentence(diagnosis)}**", ""]
    if diagnosis.failure is not None:
        lines += [f"**{WORDS['failure']}**：", "", *block([diagnosis.failure]), ""]
    return [
        *lines,
        f"共 {len(CODES)} 项检查：已测量 {num_measured(diagnosis)} 项，未测量 {len(diagnosis.not_measured)} 项；"
        f"发现 {len(diagnosis.findings)} 个问题（不含由它们引起的后果）。",
        "",
    ]


def sentence(diagnosis: Diagnosis) -> str:
    """The worst severity and the first cause."""
    measured = num_measured(diagnosis)
    if outcome(diagnosis) == "unknown":
        return WORDS["unknown"]
    if outcome(diagnosis) == "thin":
        return f"{WORDS['thin']}（{len(CODES)} 项检查中只测量了 {measured} 项）"
    if outcome(diagnosis) == "ok":
        return f"{WORDS['ok']}：已测量的 {measured} 项中没有发现需要处理的问题"
    broke = [WORDS["failure"]] if diagnosis.failure is not None else []
    causes = [f"{name(one)}（{WORDS['confidence']} {one.confidence:.0%}）" for one in diagnosis.findings[:1]]
    return f"{WORDS[f'severity.{diagnosis.verdict}']}：{'；'.join([*broke, *causes])}"


def analysis(diagnosis: Diagnosis) -> list[str]:
    """The findings with their numbers, each with its consequences."""
    lines = []
    for number, finding in enumerate(diagnosis.findings, start=1):
        lines += [f"### 发现 {number}: {name(finding)}", "", "**检查结果**:", "", *evidence_block(finding.evidence), ""]
        lines += ["**说明**:", "", f"- 诊断代码 `{finding.code}`，{grade(finding)}"]
        lines += [f"- {WORDS['consequences']}：" for _ in finding.consequences[:1]]
        for consequence in finding.consequences:
            new = new_evidence(consequence, finding)
            same = "" if new else "，数据同上"
            lines += [
                f"  - {name(consequence)}（`{consequence.code}`，{WORDS[f'severity.{consequence.severity}']}{same}）"
            ]
            lines += [f"    - {code(in_chinese(short(line)))}" for line in new]
        lines += [""]
    nothing = (
        "没有任何一项能够测量，因此无法分析。" if outcome(diagnosis) == "unknown" else "已测量的项目中没有发现问题。"
    )
    return lines or [nothing, ""]


def evidence_block(evidence: tuple[str, ...]) -> list[str]:
    """Numbers with their sources."""
    return block(in_chinese(short(line)) for line in evidence) if evidence else ["（没有保留数据）"]


def grade(finding: Finding) -> str:
    """Severity and confidence."""
    return f"{WORDS[f'severity.{finding.severity}']}，{WORDS['confidence']} {finding.confidence:.0%}"


def causes(diagnosis: Diagnosis) -> list[str]:
    """The findings as causes, the most fundamental first; no cause is named that has no numbers."""
    if not diagnosis.findings:
        return [
            "运行中断的原因见上面的错误信息；已测量的数据没有指出其他原因。"
            if diagnosis.failure is not None
            else "没有依据指出任何原因。",
            "",
        ]
    rows = []
    for number, finding in enumerate(diagnosis.findings, start=1):
        explained = "、".join(f"`{one.code}`" for one in finding.consequences) or WORDS["nothing"]
        first = " ← 先处理" if number == 1 else ""
        mark = MARKS[finding.severity]
        rows.append([f"原因 {number}", f"{mark} {name(finding)}{first}", f"{finding.confidence:.0%}", explained])
    return [
        *table(["顺序", "原因", WORDS["confidence"], WORDS["consequences"]], rows),
        "",
        "按因果顺序排列：前面的原因可能使后面的测量失真，先修复前面的。",
        f"已测量并排除 {len(passed(diagnosis))} 项，尚不能排除 {len(diagnosis.not_measured)} 项（未测量），见检查清单。",
        "",
    ]


def steps(diagnosis: Diagnosis, evidence: Evidence) -> list[str]:
    """What to do about each finding, with the present values of the settings that it names."""
    lines = []
    for number, finding in enumerate(diagnosis.findings, start=1):
        text = remedy(finding.code, "zh", finding.subject)
        optional = "，可选" if finding.severity == "info" else ""
        lines += [f"### 步骤 {number}: 针对发现 {number}（`{finding.code}`{optional}）", "", inline(text), ""]
        now = settings_named(text, evidence)
        if now:
            lines += ["当前设置：", "", *block(now), ""]
    return lines or [nothing_to_mend(diagnosis), ""]


def nothing_to_mend(diagnosis: Diagnosis) -> str:
    """What to do where nothing was found: that little was measured is no reason to be content."""
    if diagnosis.failure is not None:
        return "先按错误信息排除中断的原因。"
    if outcome(diagnosis) in ("thin", "unknown"):
        return "测量的内容太少，不能断定没有问题；先补充数据，再次诊断。"
    return "没有需要修复的问题。"


def proof(diagnosis: Diagnosis, evidence: Evidence) -> list[str]:
    """What shows that the cure worked; where nothing was to be cured, what a full training must reach."""
    if evidence.study is not None:
        return ["**期望结果**:", "", "- 再次搜索或确认之后，诊断中不再出现上面的发现", ""]
    quick = quick_check_lines(evidence) if diagnosis.verdict != "ok" else []
    return [*quick, *full_check_lines(evidence)]


def checklist(diagnosis: Diagnosis) -> list[str]:
    """Every check: ticked where it passed, marked where something was found, open where it was not measured."""
    places = found(diagnosis)
    lines = [f"✅ 已测量，正常；❌ ⚠️ ℹ️ 已测量，有问题（错误、警告、提示）；❓ {WORDS['not_measured']}。", ""]
    for group, checks in CHECKLIST.items():
        lines += [f"### {group}", ""]
        for check, statement in checks.items():
            if check in places:
                numbers = "、".join(map(str, places[check].numbers))
                lines += [f"- [ ] {MARKS[places[check].severity]} {statement}：见发现 {numbers}（`{check}`）"]
            elif check in diagnosis.not_measured:
                lines += [f"- [ ] ❓ {statement}（`{check}`）"]
            else:
                lines += [f"- [x] ✅ {statement}（`{check}`）"]
        lines += [""]
    return lines


def summary(diagnosis: Diagnosis) -> list[str]:
    """The first cause and its cure in two sentences."""
    if diagnosis.verdict == "ok" or not diagnosis.findings:
        return [f"**{sentence(diagnosis)}**。", ""]
    first = diagnosis.findings[0]
    return [
        f"**核心问题**: {name(first)}（{grade(first)}）。",
        "",
        f"**解决方案**: {inline(remedy(first.code, 'zh', first.subject))}",
        "",
    ]


def actions(diagnosis: Diagnosis, evidence: Evidence) -> list[str]:
    """What to do now, and the command to type."""
    purpose, command = next_command(diagnosis, evidence)
    return [NEXT[purpose], "", f"    {command}"]
