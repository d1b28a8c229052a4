from dataclasses import replace
from pathlib import Path

from search.promotion.full_result import FullResult, full_result
from search.promotion.register import CHAMPION_TAG, VERSION_TAG
from tracking.run import start_run


def test_the_newest_registered_full_run_is_read_back(opened) -> None:
    store, parent = opened.prepared.store, opened.parent.id
    assert full_result(store, parent) is None
    estimate = {"steps": 40, "value": 30.0, "low": 28.0, "high": 32.0, "came": 27.5, "place": "below"}
    told = {VERSION_TAG: "taehv version 2", CHAMPION_TAG: "not moved"}
    for name, tags in (("full 1", {}), ("full 2", told), ("full 3", {})):
        run = start_run(store, name, "full", opened.parent, tags)
        if name != "full 3":  # on its way: nothing is registered yet
            run.json("model/estimate.json", {"val/psnr": estimate})
            run.json("model/evaluation.json", {"step": 30})
            run.finish("FINISHED")
    found = full_result(store, parent)
    assert found is not None
    assert (found.folder / "estimate.json").is_file()
    expected = FullResult("full 2", 30, {"val/psnr": 27.5}, {"val/psnr": "below"}, "taehv version 2", "not moved")
    assert replace(found, folder=Path()) == expected
