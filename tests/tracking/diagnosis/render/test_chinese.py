"""The Chinese page, against the headings of the failed run's report."""

from collections.abc import Callable

from tracking.diagnosis.diagnose import diagnose
from tracking.diagnosis.evidence import Evidence
from tracking.diagnosis.findings import CODES, Diagnosis
from tracking.diagnosis.render.chinese import chinese_page
from tracking.diagnosis.stored import StudyFacts
from tracking.diagnosis.texts import finding

EvidenceOf = Callable[..., Evidence]

HEADINGS = [
    "# 🔍 模型评估诊断报告",
    "## 📊 评估结果摘要",
    "## 🔎 根本原因分析",
    "## 🎯 可能的原因",
    "## 🔧 推荐的修复步骤",
    "## 📊 验证修复效果",
    "## 🎯 快速诊断检查清单",
    "## 💡 总结",
    "## 📞 下一步行动",
]


def page_of(evidence: Evidence) -> str:
    return chinese_page(diagnose(evidence), evidence)


def part(page: str, heading: str) -> str:
    """The text under a heading, up to the next heading of any depth."""
    return page.split(f"\n{heading}\n", 1)[1].split("\n#", 1)[0]


def test_the_headings_are_those_of_the_report(failed_run: Evidence, evidence_of: EvidenceOf) -> None:
    for evidence in (failed_run, evidence_of(), Evidence()):
        lines = page_of(evidence).splitlines()
        assert [line for line in lines if line.startswith(("# ", "## "))] == HEADINGS


def test_the_failed_run_is_explained_by_its_data_path(failed_run: Evidence) -> None:
    page = page_of(failed_run)
    assert "### 结论：**错误：帧被除以 255 两次（置信度 90%）**" in page
    first = part(page, "### 发现 1: 帧被除以 255 两次")
    assert "= 53.0 dB（标签 train/reconstruction_loss）" in first
    assert "训练损失与评估结果不一致（`loss.metric_mismatch`，错误，数据同上）" in first
    assert "某个损失几乎独自起决定作用：encoder（`loss.dominates`，警告）" in first
    assert "| 原因 1 | ❌ 帧被除以 255 两次 ← 先处理 | 90% | `loss.metric_mismatch`、`loss.dominates` |" in page
    assert "去掉第二次除以 255" in part(page, "### 步骤 1: 针对发现 1（`data.double_normalised`）")
    assert "losses.seraena = 0.3 (args.seraena_loss_weight)" in part(page, "### 步骤 4: 针对发现 4（`loss.inert`）")
    assert "帧被除以 255 两次" in part(page, "## 💡 总结")


def test_the_checklist_ticks_only_what_was_measured(failed_run: Evidence) -> None:
    checks = page_of(failed_run).split("检查清单\n", 1)[1]
    assert "- [ ] ❌ 帧只被除以 255 一次：见发现 1（`data.double_normalised`）" in checks
    assert "- [ ] ❌ 每个有权重的损失都真正参与训练：见发现 2、3、4（`loss.inert`）" in checks
    assert "- [ ] ❌ 训练损失与评估结果一致：见发现 1（`loss.metric_mismatch`）" in checks
    assert "- [x] ✅ 预热只占训练的一小部分（`schedule.warmup_too_long`）" in checks
    assert "- [x] ✅ 学习率没有过早衰减到接近 0（`schedule.decayed_early`）" in checks
    diagnosis = diagnose(failed_run)
    assert checks.count("- [ ] ❓") == len(diagnosis.not_measured)
    assert checks.count("- [") == len(CODES)


def test_warnings_and_remarks_have_marks_of_their_own() -> None:
    findings = (
        finding("loss.dominates", "info", 0.8, ("a = 1",), "reconstruction"),
        finding("schedule.warmup_too_long", "warning", 0.8, ("b = 2",)),
    )
    page = chinese_page(Diagnosis(findings, (), "warning"), Evidence())
    assert "- [ ] ℹ️ 没有哪一个损失独自决定梯度：见发现 1" in page
    assert "- [ ] ⚠️ 预热只占训练的一小部分：见发现 2" in page
    assert "### 步骤 1: 针对发现 1（`loss.dominates`，可选）" in page


def test_a_sound_run_asks_for_nothing(evidence_of: EvidenceOf) -> None:
    page = page_of(evidence_of())
    assert "### 结论：**正常" in page
    assert "没有需要修复的问题" in part(page, "## 🔧 推荐的修复步骤")
    assert "### 快速验证" not in page
    assert "### 发现" not in page


def test_too_little_is_not_called_sound() -> None:
    assert "### 结论：**无法下结论" in page_of(Evidence())
    thin = Evidence(settings={"schedule.kind": "cosine", "schedule.warmup_share": 0.1})
    assert "### 结论：**没有发现问题，但检查过的内容很少（26 项检查中只测量了 1 项）**" in page_of(thin)
    for evidence in (thin, Evidence()):
        page = page_of(evidence)
        assert "正常：" not in page
        assert "不能断定没有问题" in part(page, "## 🔧 推荐的修复步骤")


def test_a_run_that_broke_off_shows_its_error(evidence_of: EvidenceOf) -> None:
    page = page_of(evidence_of(failure="losses must be finite"))
    assert "### 结论：**错误：运行中断**" in page
    assert "```text\nlosses must be finite\n```" in page
    assert "训练运行到结束" in page


def test_a_study_has_no_scores_of_its_own() -> None:
    page = page_of(Evidence(study=StudyFacts(best={}, space={}, num_trials=50)))
    assert "这是对一次搜索的诊断" in page
    assert "### 完整验证" not in page
