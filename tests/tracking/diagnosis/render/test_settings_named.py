"""Settings that a remedy names."""

from tracking.diagnosis.evidence import Evidence
from tracking.diagnosis.render.settings_named import settings_named


def test_present_values_stand_with_their_foreign_names() -> None:
    evidence = Evidence(
        settings={"losses.seraena": 0.30000000000000004, "schedule.kind": "cosine", "losses.encoder": 1.0},
        origins={"losses.seraena": "args.seraena_loss_weight"},
    )
    text = "Set losses.seraena = 0, or losses.seraena and schedule.kind; see conf.toml and losses.perceptual."
    assert settings_named(text, evidence) == [
        "losses.seraena = 0.3 (args.seraena_loss_weight)",
        "schedule.kind = cosine",
    ]
    assert settings_named("降低 losses.encoder,或提高其他权重", evidence) == ["losses.encoder = 1"]
