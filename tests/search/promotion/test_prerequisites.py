import pytest
from optuna.trial import TrialState

from search.promotion.prerequisites import check_finished, warn_of_other_code
from search.study import TARGET
from tracking.source import running_source


def test_fewer_trials_than_asked_for_are_refused_but_for_force(opened, add_trial) -> None:
    opened.study.set_user_attr(TARGET, 2)
    add_trial(opened.study, 20.0)
    with pytest.raises(RuntimeError, match=r"has 1 of 2 trials; go on with python -m search\.run --trials 2"):
        check_finished(opened, force=False)
    check_finished(opened, force=True)
    add_trial(opened.study, 10.0, TrialState.PRUNED)
    check_finished(opened, force=False)


def test_other_code_is_warned_of(opened) -> None:
    said: list[str] = []
    warn_of_other_code(opened, said.append)
    assert said == []
    opened.parent.tags({"git_commit": "0123456789abcdef"})
    warn_of_other_code(opened, said.append)
    (line,) = said
    assert line.startswith("warning: the study was begun with commit 0123456789ab and this is ")
    assert (running_source().commit or "unknown")[:12] in line
