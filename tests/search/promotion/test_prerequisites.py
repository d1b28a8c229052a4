import pytest
from optuna.trial import TrialState

from search.promotion import prerequisites
from search.promotion.prerequisites import check_finished, naming_the_profile, warn_of_other_code
from search.study import TARGET, UnknownStudyError
from tracking.run import start_run
from tracking.source import Source, running_source


def test_fewer_trials_than_asked_for_are_refused_but_for_force(opened, add_trial) -> None:
    opened.study.set_user_attr(TARGET, 2)
    add_trial(opened.study, 20.0)
    with pytest.raises(RuntimeError, match=r"has 1 of 2 trials; go on with python -m search\.run --trials 2"):
        check_finished(opened, force=False)
    assert check_finished(opened, force=True) == ("unfinished",)
    add_trial(opened.study, 10.0, TrialState.PRUNED)
    assert check_finished(opened, force=False) == ()
    assert check_finished(opened, force=True) == ()


def test_other_code_is_warned_of(opened) -> None:
    said: list[str] = []
    warn_of_other_code(opened, said.append)
    assert said == []
    opened.parent.tags({"git_commit": "0123456789abcdef"})
    warn_of_other_code(opened, said.append)
    (line,) = said
    assert line.startswith("warning: the study was begun with commit 0123456789ab and this is ")
    assert (running_source().commit or "unknown")[:12] in line


def test_trials_of_other_code_are_warned_of(opened) -> None:
    said: list[str] = []
    now = running_source().commit or "unknown: no git"
    made = [("trial", now, "FINISHED"), ("trial", "fedcba9876543210", "FINISHED")]
    made += [("confirm", "fedcba9876543210", "FINISHED"), ("trial", "0000000000000000", "FAILED")]
    for role, commit, state in made:
        start_run(opened.prepared.store, role, role, opened.parent, {"git_commit": commit}).finish(state)
    warn_of_other_code(opened, said.append)
    (line,) = said
    assert line.startswith("warning: 2 of the study's trainings were made with commit fedcba987654 and this is ")
    assert "000000000000" not in line


@pytest.mark.parametrize(("then", "warned"), [("unknown: git is not installed", False), ("0123456789abcdef", True)])
def test_without_git_only_code_that_is_known_to_be_other_is_warned_of(
    opened, monkeypatch: pytest.MonkeyPatch, then: str, warned: bool
) -> None:
    monkeypatch.setattr(prerequisites, "running_source", lambda: Source(None, "", (), "no git checkout"))
    opened.parent.tags({"git_commit": then})
    said: list[str] = []
    warn_of_other_code(opened, said.append)
    assert len(said) == warned


def test_a_study_that_is_not_found_under_a_profile_for_want_of_cuda_says_so() -> None:
    found = "no such study; --profile auto took cpu because there is no CUDA here"
    with pytest.raises(ValueError, match=found), naming_the_profile("auto", "cpu"):
        raise UnknownStudyError("no such study")
    with pytest.raises(ValueError, match=r"^no such study$"), naming_the_profile("cpu", "cpu"):
        raise UnknownStudyError("no such study")
