"""Names of other people's runs in conf.toml."""

import tomllib

import pytest

from model.settings import SettingsError, build, read_tables
from search.settings import Settings
from tests.commands import ROOT
from tracking.diagnosis.evidence import LOSSES
from tracking.settings import FOREIGN_CURVES, DiagnosisSettings


def read(*changes: str) -> DiagnosisSettings:
    return build(Settings, read_tables(ROOT / "conf.toml", "cpu", changes)).diagnosis


def test_conf_toml_lists_every_curve() -> None:
    conf = tomllib.loads((ROOT / "conf.toml").read_text(encoding="utf-8"))
    assert tuple(sorted(conf["diagnosis"]["tags"])) == tuple(sorted(FOREIGN_CURVES))
    assert {f"loss/{name}" for name in LOSSES} < set(FOREIGN_CURVES)


def test_a_name_replaces_the_list_and_needs_no_brackets() -> None:
    changed = read("diagnosis.tags.loss/encoder=mine", 'diagnosis.settings.losses.encoder=["w_enc", "we"]')
    assert changed.tags["loss/encoder"] == ("mine",)
    assert changed.setting_names()["losses.encoder"] == ("w_enc", "we")
    assert changed.setting_names()["losses.decoder"] == read().setting_names()["losses.decoder"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("diagnosis.tags.loss/encodr=x", r"\[diagnosis.tags\] must name a curve .* did you mean 'loss/encoder'"),
        ("diagnosis.settings.losses.encodr=x", r"\[diagnosis.settings\] must name a setting .* 'losses.encoder'"),
        ("diagnosis.tags.loss/encoder=lr", r"'lr' is under loss/encoder and learning_rate; take it out of one"),
        ("diagnosis.settings.losses.encoder=seed", r"'seed' is under losses.encoder and training.seed"),
        ("diagnosis.tags.loss/encoder=3", r"loss/encoder = 3 is not allowed"),
        ("diagnosis.colours=3", r"\[diagnosis\] has no setting 'colours'"),
    ],
)
def test_names_that_mean_nothing_or_two_things(change: str, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        read(change)
