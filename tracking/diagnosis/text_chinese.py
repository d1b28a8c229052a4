"""The words of a diagnosis in Chinese; the same keys as text_english.py."""

#: What each code means, and what to do about it.
FINDINGS: dict[str, tuple[str, str]] = {
    "data.out_of_range": (
        "输入模型的帧不在 [0, 1] 范围内，或者不是存储的帧",
        "只在一处把 uint8 帧除以 255，训练和评估共用这段代码；"
        "去掉模型之前其他所有缩放、标准化、对比度变换和颜色通道调换，然后重新训练。"
        "如果依据中只有 RMS，请检查片段库与模型之间的代码：是否遗漏、重复、遮挡了片段或帧，或者加入了噪声。",
    ),
    "data.double_normalised": (
        "帧被除以 255 两次",
        "去掉第二次除以 255：位置见依据；依据中只有差距时，问题在训练代码中。"
        "然后重新训练；在此之前不要归咎于损失权重或学习率。",
    ),
    "data.signed_range": (
        "帧的范围是 [-1, 1]，而模型需要 [0, 1]",
        "去掉模型之前到 [-1, 1] 的缩放（只有 LPIPS 需要，在调用它的地方缩放）。"
        "依据中只有差距时，这只是推测：请先记录模型输入的最小值和最大值。",
    ),
    "data.leak": (
        "验证片段来自训练用过的视频",
        "删除重复的文件，并按源视频划分数据：data.source_pattern 的第一个分组必须是片段所属视频的名称。"
        "然后重新训练；泄漏片段的分数没有意义。",
    ),
    "frames.misaligned": (
        "输出与别的帧更吻合，而不是与对应的帧",
        "在依据所指的位置，让输出的第 i 帧与输入的第 i 帧比较，损失和评估都应如此：两边都不要从开头裁掉帧，"
        "片段长度取 8k+1 帧（data.frames）。",
    ),
    "reference.suspect": (
        "参考 VAE 有问题：潜变量不对，或自身的往返重建质量差",
        "检查 reference.source 的权重、潜变量的缩放（标准差应接近 1）和帧的范围。"
        "如果训练所用的潜变量与它现在给出的不同，请清空 data.cache_dir，并让它给出均值，而不是采样。",
    ),
    "weights.not_loaded": (
        "训练不是从指定的权重开始的",
        "使用严格加载，不遗漏任何键，并使 network.variant 和 network.width 与 network.weights 的文件一致，然后重新训练。",
    ),
    "memory.exhausted": (
        "训练时内存（显存）不足",
        "把 training.batch_size 设为依据中能够容纳的值，并结束该设备上的其他程序。如果没有能容纳的值，"
        "请降低 data.crop_px 或 network.width，或换用更大的设备。",
    ),
    "weights.frozen": (
        "权重几乎不变",
        "检查优化器是否包含被训练的参数并且真正执行更新，optimizer.learning_rate 是否大于 0，"
        "以及保存的是否就是正在训练的模型，而不是它的旧副本。",
    ),
    "weights.final_is_initial": (
        "最终权重就是初始权重",
        "检查保存的是否是训练中的模型或其滑动平均，以及滑动平均是否每一步都在更新（training.average_share）。",
    ),
    "weights.low_precision": (
        "更新量小于权重的精度",
        '权重保持 float32，只在计算中使用 bfloat16（autocast；在本项目中是 training.precision = "bfloat16"）。',
    ),
    "steps.skipped": (
        "有训练步被跳过",
        "查明优化器为何没有更新：损失不是有限值、梯度缩放溢出、片段损坏、异常被捕获。"
        "如果损失溢出，请降低 optimizer.learning_rate。",
    ),
    "loss.inert": (
        "某个损失有权重但不起作用",
        "查明 {subject} 损失为何没有被计算或没有梯度（设置没有被读取、异常被捕获、张量被 detach），"
        "或者设置 losses.{subject} = 0。如果它只是以别的名称记录，请把该名称加入 [diagnosis.tags]。",
    ),
    "loss.metric_mismatch": (
        "训练损失与评估结果不一致",
        "对比训练和评估时进入模型与损失的内容：范围、帧、片段、权重。"
        "loss/reconstruction 必须是 [0, 1] 范围内的帧的均方误差，不乘权重。"
        "如果这些都正确，则是训练片段太少而过拟合：提高 data.training_clips 或增加视频。",
    ),
    "gradient.vanishing": (
        "梯度几乎为零，或者模型从梯度中学不到东西",
        "检查帧的范围、计算损失之前输出是否被截断、最后一层偏置是否从 0.5 开始，"
        "以及损失权重和 optimizer.max_gradient_norm 是否把梯度缩小到了 Adam 的 epsilon 附近。"
        "如果梯度是在训练途中才消失的，说明学习率过高：请降低 optimizer.learning_rate。",
    ),
    "schedule.warmup_too_long": (
        "预热占了训练的太大部分",
        "把 schedule.warmup_share 设为 0.05；为更长的训练选定的预热步数不适用于更短的训练。",
    ),
    "schedule.decayed_early": (
        "训练的很大一部分时间里学习率接近零",
        "让学习率调度覆盖本次训练的全部步数，优化器每更新一次只推进一步，或换一种 schedule.kind。",
    ),
    "loss.dominates": (
        "某个损失几乎独自起决定作用",
        "降低 losses.{subject} 或提高其他权重，使每个损失在梯度中都占有份额。",
    ),
    "seraena.inactive": (
        "Seraena 判别器没有给出有用的修正",
        "给判别器更多步数（training.steps）或更小的裁剪尺寸（data.crop_px），检查 losses.critic_learning_rate，"
        "或设置 losses.seraena = 0。",
    ),
    "gradient.always_clipped": (
        "几乎每一步的梯度都被大幅裁剪",
        "把 optimizer.max_gradient_norm 提高到 gradient/norm 的通常水平，或者同比例降低所有损失权重。",
    ),
    "output.collapsed": (
        "输出几乎没有变化",
        "步数很少时：提高 training.steps 或 optimizer.learning_rate。步数很多时：检查计算损失之前输出没有被截断，"
        "并且最后一层偏置从 0.5 开始。",
    ),
    "output.saturated": (
        "大量输出位于或超出 0 和 1 的边界",
        "用未截断的输出计算损失，最后一层偏置从 0.5 开始，并降低 optimizer.learning_rate；"
        "如果片段本身有大片黑色或白色，则属正常。",
    ),
    "score.below_trivial": (
        "在相同片段上，平凡的输出得分更高",
        "如果训练很短，先提高 training.steps；如果训练很长，则另有问题：查看它的图片、学习率和各项损失。",
    ),
    "score.overfitted": (
        "过拟合：训练片段的分数还在提高，验证片段的分数却在下降",
        "用 training.renew_every（完整训练用 promotion.renew_every）在训练中更换片段，或增加视频，"
        "或减少步数：证据中写有最好的一步。更大的 losses.encoder 会使潜变量更接近参考模型。",
    ),
    "search.edge_of_space": (
        "最佳设置位于搜索空间的边缘",
        "在 conf.toml 的 [search.space] 中放宽该边界，再次搜索。",
    ),
    "search.noise_floor": (
        "最好的几次试验之间的差别小于随机种子的噪声",
        "用其他 training.seed 重复最好的几次试验，按平均分选择。",
    ),
}

WORDS = {
    "ok": "正常",
    "thin": "没有发现问题，但检查过的内容很少",
    "unknown": "无法下结论：没有任何一项能够测量",
    "warning": "警告",
    "error": "错误",
    "failure": "运行中断",
    "severity.error": "错误",
    "severity.warning": "警告",
    "severity.info": "提示",
    "confidence": "置信度",
    "evidence": "依据",
    "remedy": "处理方法",
    "consequences": "由此引起",
    "not_measured": "未测量，因此不能认为没有问题",
    "nothing": "无",
}
