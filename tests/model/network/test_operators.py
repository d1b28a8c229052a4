import importlib

from model.network.operators import declare_missing_operators


def test_torchvision_can_be_imported_afterwards_and_twice_does_no_harm() -> None:
    declare_missing_operators()
    assert importlib.import_module("torchvision.ops").nms
    declare_missing_operators()
