"""The words of a diagnosis in Chinese; the same keys as text_english.py."""

#: What each code means, and what to do about it.
FINDINGS: dict[str, tuple[str, str]] = {
    "data.out_of_range": (
        "输入模型的帧不在 [0, 1] 范围内",
        "只在一处把帧缩放到 [0, 1](uint8 除以 255),去掉其他缩放,然后重新训练。",
    ),
    "data.double_normalised": (
        "训练时帧被除以 255 两次",
        "去掉第二次除以 255,然后重新训练;在此之前不要归咎于损失权重或学习率。",
    ),
    "data.signed_range": (
        "帧的范围是 [-1, 1],而模型需要 [0, 1]",
        "去掉模型之前到 [-1, 1] 的缩放;只有 LPIPS 需要这样的范围,并且由它自己完成。",
    ),
    "data.leak": (
        "验证片段来自训练用过的视频",
        "按源视频划分数据后重新评估;泄漏片段的分数没有意义。",
    ),
    "frames.misaligned": (
        "输出与别的帧更吻合,而不是与对应的帧",
        "输出第 i 帧应与输入第 i 帧比较:从开头按顺序取帧,不要取片段末尾的帧。",
    ),
    "reference.suspect": (
        "参考 VAE 自身的往返重建质量差",
        "检查参考模型的权重、潜变量的缩放和帧的范围;参考模型重建不出的内容,无法从它学到。",
    ),
    "weights.not_loaded": (
        "初始权重没有全部加载",
        "使用严格加载,修正网络设置,直到所有键都对应。",
    ),
    "weights.frozen": (
        "检查点之间权重几乎不变",
        "检查优化器是否包含被训练的参数,以及保存的副本是否就是正在训练的模型。",
    ),
    "weights.final_is_initial": (
        "最终权重就是初始权重",
        "检查保存的是否是训练过的模型。",
    ),
    "weights.low_precision": (
        "更新量小于权重的精度",
        "权重保持 float32,只在计算中使用 bfloat16。",
    ),
    "steps.skipped": (
        "许多步被跳过",
        "查找非有限的损失和损坏的片段;降低学习率。",
    ),
    "loss.inert": (
        "某个损失有权重但不起作用",
        "查明 {subject} 损失为何没有被计算或没有梯度,或者设置 losses.{subject} = 0。",
    ),
    "loss.metric_mismatch": (
        "训练损失与评估结果不一致",
        "对比训练和评估时进入模型与损失的内容:范围、帧、片段、权重。",
    ),
    "gradient.vanishing": (
        "梯度几乎为零",
        "检查帧的范围、输出在计算损失之前是否被截断,以及输出层的初始偏置。",
    ),
    "schedule.warmup_too_long": (
        "预热占了训练的太大部分",
        "把 schedule.warmup_share 设为 0.05。",
    ),
    "schedule.decayed_early": (
        "训练的很大一部分时间里学习率接近零",
        "让学习率调度覆盖本次训练自己的步数,或换一种 schedule.kind。",
    ),
    "loss.dominates": (
        "某个损失几乎独自起决定作用",
        "降低 losses.{subject} 或提高其他权重,使每个损失在梯度中都有份额。",
    ),
    "seraena.inactive": (
        "Seraena 判别器没有给出有用的修正",
        "给判别器更多步数或更小的裁剪,检查 losses.critic_learning_rate,或设置 losses.seraena = 0。",
    ),
    "gradient.always_clipped": (
        "几乎每一步的梯度都被大幅裁剪",
        "同比例降低各损失权重,或提高 optimizer.max_gradient_norm。",
    ),
    "output.collapsed": (
        "输出几乎没有变化",
        "步数很少时:延长训练或提高 optimizer.learning_rate。步数很多时:检查计算损失之前输出没有被截断,"
        "并且最后一层偏置从 0.5 开始。",
    ),
    "output.saturated": (
        "大量输出位于或超出 0 和 1 的边界",
        "在未截断的输出上训练并降低学习率;带黑边的片段出现这种情况是正常的。",
    ),
    "score.below_trivial": (
        "在相同片段上,平凡的输出得分更高",
        "如果训练很短,先延长训练;长训练则另有问题:查看它的图片、学习率和各项损失。",
    ),
    "search.edge_of_space": (
        "最佳设置位于搜索空间的边缘",
        "在该边缘扩大 [search.space],再次搜索。",
    ),
    "search.noise_floor": (
        "最好的几次试验之间的差别小于随机种子的噪声",
        "先用更多种子确认,再做选择。",
    ),
}

WORDS = {
    "heading": "诊断",
    "ok": "结论:正常。已测量的项目中没有发现问题。",
    "warning": "结论:警告。",
    "error": "结论:错误。",
    "failure": "运行中断",
    "severity.error": "错误",
    "severity.warning": "警告",
    "severity.info": "提示",
    "confidence": "置信度",
    "evidence": "依据",
    "remedy": "处理方法",
    "consequences": "由此引起",
    "not_measured": "未测量,因此不能认为没有问题",
    "nothing": "无",
}
