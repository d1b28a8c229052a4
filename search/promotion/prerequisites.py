"""What must hold of a study before its trials are trained again."""

from collections.abc import Callable

from search.opening import OpenStudy
from search.study import TARGET
from tracking.query import find_runs
from tracking.source import running_source


def check_finished(opened: OpenStudy, *, force: bool) -> None:
    """Refuse a study that has fewer finished trials than it was asked for, unless a person insists.

    Raises:
        RuntimeError: it is not finished and `force` is not given.
    """
    target, finished = opened.study.user_attrs[TARGET], opened.num_finished()
    if finished < target and not force:
        raise RuntimeError(
            f"a study must be finished before its best trial is promoted, but {opened.study.study_name} has {finished} "
            f"of {target} "
            f"trials; go on with python -m search.run --trials {target}, or promote what there is with --force"
        )


def warn_of_other_code(opened: OpenStudy, say: Callable[[str], None]) -> None:
    """Say when the study was begun with another commit: its trials may not compare with what is trained now."""
    store, study = opened.prepared.store, opened.study.study_name
    then = find_runs(store, role="study", study=study)[0].tags.get("git_commit", "unknown")
    now = running_source().commit or "unknown"
    if then != now:
        say(
            f"warning: the study was begun with commit {then[:12]} and this is {now[:12]}: its trials may not compare "
            "with what is trained "
            f"now; git diff {then[:12]} shows what changed"
        )
