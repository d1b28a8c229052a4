from pathlib import Path

import pytest

from model.settings import (
    SettingsError,
    build,
    change,
    flatten,
    identity,
    parse_change,
    read_tables,
    scientific,
)
from search.settings import Settings, load_settings, recipe_of

CONF = Path(__file__).resolve().parents[2] / "conf.toml"


def read(*changes: str, profile: str = "cpu") -> Settings:
    return load_settings(CONF, profile, changes)


@pytest.mark.parametrize(
    ("text", "tables"),
    [
        ("training.steps=7", {"training": {"steps": 7}}),
        ("losses.encoder=1e-2", {"losses": {"encoder": 0.01}}),
        ("data.source=../some/folder", {"data": {"source": "../some/folder"}}),
        ("search.space.encoder=[0.1, 1.0]", {"search": {"space": {"encoder": [0.1, 1.0]}}}),
        ("data.source=a=b", {"data": {"source": "a=b"}}),
    ],
)
def test_a_change_is_read_as_toml_or_as_text(text: str, tables: dict) -> None:
    assert parse_change(text) == tables


@pytest.mark.parametrize("text", ["steps=7", "training.steps", "=1", ".steps=1", "training.=1"])
def test_a_change_of_another_form_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match=r"--set takes table\.key=value"):
        parse_change(text)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ("losses.perceptaul=1", r"\[losses\] has no setting 'perceptaul'; did you mean 'perceptual'\?"),
        ("search.space.encodr=[1,2]", r"\[search\.space\] has no setting 'encodr'; did you mean 'encoder'\?"),
        ("los.encoder=1", r"\[los\] that nothing reads; did you mean 'losses'\?"),
        ("data.frames=12", r"8k\+1 frames, but frames = 12; take 9 or 17"),
        ("data.frames=8", r"frames = 8"),
        ("losses.encoder=-1", r"\[losses\] encoder = -1 is not allowed: input should be greater than or equal to 0"),
        ("losses.encoder=nan", r"\[losses\] encoder = nan is not allowed"),
        ("training.steps=many", r"\[training\] steps = 'many' is not allowed"),
        ("search.space.encoder=[3.0,2.0]", r"\[search\.space\.encoder\] a range must be \[low, high\]"),
        ("training.device=gpu", r"device must be auto, cpu, cuda or cuda:N, but got 'gpu'"),
        ("search.baselines.mine.encoder=1", r"\[search\.baselines\.mine\] must set 'decoder'"),
    ],
)
def test_a_broken_rule_is_said_with_value_and_remedy(changed: str, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        read(changed)


def test_a_profile_overrides_and_a_change_overrides_the_profile() -> None:
    assert read(profile="h100").data.crop_px == 64
    assert read(profile="cpu").data.crop_px == 24
    assert read("data.crop_px=48", profile="cpu").data.crop_px == 48


def test_a_missing_file_a_broken_one_and_an_unknown_profile_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="must be readable"):
        read_tables(tmp_path / "none.toml", "cpu")
    broken = tmp_path / "broken.toml"
    broken.write_text("[data\n")
    with pytest.raises(SettingsError, match="must be TOML"):
        read_tables(broken, "cpu")
    broken.write_text("[profile.tpu.data]\ncrop_px = 1\n")
    with pytest.raises(SettingsError, match=r"\[profile\.tpu\].*is no profile"):
        read_tables(broken, "cpu")


def test_a_missing_table_and_a_missing_key_are_named() -> None:
    tables = read_tables(CONF, "cpu")
    del tables["losses"]["encoder"]
    with pytest.raises(SettingsError, match=r"\[losses\] must set 'encoder'"):
        build(Settings, tables)
    del tables["losses"]
    with pytest.raises(SettingsError, match=r"must have a table \[losses\]"):
        build(Settings, tables)


def test_a_changed_copy_leaves_the_original_and_is_checked() -> None:
    settings = read()
    changed = change(settings, {"losses.encoder": 0.25, "schedule.kind": "linear"})
    assert (changed.losses.encoder, changed.schedule.kind) == (0.25, "linear")
    assert settings.losses.encoder == 1.0
    with pytest.raises(SettingsError, match="did you mean"):
        change(settings, {"losses.encodr": 1.0})


def test_identity_depends_on_what_changes_results_and_on_nothing_else() -> None:
    def of(*changes: str) -> str:
        return identity(recipe_of(read(*changes)))

    assert len(of()) == 12
    assert of() == of("data.workers=3") == of("training.log_every=3") == of("tracking.root=elsewhere")
    assert of() == of("data.cache_dir=elsewhere") == of("search.seed=9")
    different = {of(), of("losses.encoder=0.5"), of("training.steps=211"), of("data.seed=1"), of("network.width=0.5")}
    assert len(different) == 5
    # Clips that are renewed are another run; with a setting that came later at "never", older runs keep their identity.
    assert of("training.renew_every=5") not in different
    assert "renew_every" not in scientific(read().training)


def test_resolved_settings_read_back_as_the_same_settings(tmp_path: Path) -> None:
    from search.record import to_toml

    settings = read("data.source=a 'quoted' folder")
    path = tmp_path / "resolved.toml"
    path.write_text(to_toml(settings))
    for profile in ("cpu", "h100"):  # a resolved file holds no profiles, so none can change it
        assert load_settings(path, profile, ()) == settings


def test_flatten_names_every_value_once() -> None:
    flat = flatten(read())
    assert flat["losses.reconstruction"] == 1.0
    assert flat["search.baselines.seed_old.learning_rate"] == 5e-5
    assert flat["search.space.encoder"] == [0.01, 2.0]
