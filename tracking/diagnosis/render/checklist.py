"""The checklist of the Chinese page: what must hold, by the part of the training it belongs to."""

#: Every code with what holds where it is not found.
CHECKLIST: dict[str, dict[str, str]] = {
    "训练配置": {
        "weights.not_loaded": "训练从指定的权重开始",
        "weights.low_precision": "更新量大于权重的精度",
        "loss.inert": "每个有权重的损失都真正参与训练",
        "loss.dominates": "没有哪一个损失独自决定梯度",
        "schedule.warmup_too_long": "预热只占训练的一小部分",
        "schedule.decayed_early": "学习率没有过早衰减到接近 0",
    },
    "训练过程": {
        "memory.exhausted": "内存（显存）足够训练",
        "steps.skipped": "没有训练步被跳过",
        "weights.frozen": "权重在正常变化",
        "weights.final_is_initial": "最终权重不同于初始权重",
        "loss.metric_mismatch": "训练损失与评估结果一致",
        "gradient.vanishing": "梯度没有消失",
        "gradient.always_clipped": "梯度没有总是被大幅裁剪",
        "seraena.inactive": "Seraena 判别器给出了有用的修正",
        "output.collapsed": "输出的变化幅度与目标相当",
        "output.saturated": "输出没有大量停在 0 和 1 的边界上",
    },
    "数据处理": {
        "data.out_of_range": "输入模型的帧在 [0, 1] 范围内，并且就是存储的帧",
        "data.double_normalised": "帧只被除以 255 一次",
        "data.signed_range": "帧没有被缩放到 [-1, 1]",
        "data.leak": "训练集和验证集没有共用的视频",
        "frames.misaligned": "输出帧与输入帧一一对应",
        "reference.suspect": "参考 VAE 的潜变量和往返重建正常",
    },
    "评估与搜索": {
        "score.below_trivial": "分数高于平凡的输出（黑色、灰色、平均色、8x8 平均）",
        "score.overfitted": "训练片段没有被死记硬背（训练提高时验证没有下降）",
        "search.edge_of_space": "最佳设置不在搜索空间的边缘",
        "search.noise_floor": "最好的几次试验之间的差别大于随机种子的噪声",
    },
}
