import json

from model.preflight.report import (
    FitCheck,
    InputCheck,
    LossCheck,
    Preflight,
    ReferenceCheck,
    ScheduleCheck,
    SharedFile,
    TargetCheck,
    TensorRange,
)


def test_it_is_plain_values_that_json_holds() -> None:
    seen = TensorRange(0.0, 1.0, 0.4, 0.25)
    report = Preflight(
        seconds=7.0,
        training_input=InputCheck(seen, 0.0),
        evaluation_input=InputCheck(seen, 0.0),
        losses={"decoder": LossCheck(1.0, 0.1, 0.2, TargetCheck(3, seen, 0.5), None)},
        reference=ReferenceCheck(0.0, 1.0, 0.0, 0),
        start=None,
        fit=FitCheck(steps=30, first_loss=0.2, last_loss=0.1, change=0.1, output_std=0.1, target_std=0.2),
        shared=(SharedFile("a", "b", "same source"),),
        num_shared=1,
        schedule=ScheduleCheck(210, 0.05, 0.06),
    )
    read = json.loads(json.dumps(report.to_json()))
    assert read["losses"]["decoder"]["target"]["range"]["maximum"] == 1.0
    assert read["shared"] == [{"training": "a", "validation": "b", "rule": "same source"}]
    assert (read["start"], read["schedule"]["horizon"]) == (None, 210)
    assert Preflight.from_json(read) == report
