"""What must hold of a study before its trials are trained again."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from search.opening import OpenStudy
from search.study import TARGET, UnknownStudyError
from tracking.query import RunRow, children, find_runs
from tracking.source import running_source

#: What stands for code that is in no git checkout; tracking/provenance.py writes why behind it.
UNKNOWN = "unknown"


@contextmanager
def naming_the_profile(asked: str, taken: str) -> Iterator[None]:
    """Say of a study that is not found that the profile was chosen for want of CUDA, where it was.

    Raises:
        ValueError: there is no such study.
    """
    try:
        yield
    except UnknownStudyError as error:
        if (asked, taken) != ("auto", "cpu"):
            raise
        raise ValueError(
            f"{error}; --profile auto took cpu because there is no CUDA here: a study of the profile h100 is promoted "
            "on a machine with CUDA"
        ) from error


def check_finished(opened: OpenStudy, *, force: bool) -> tuple[str, ...]:
    """Refuse a study that has fewer finished trials than it was asked for; returns what a person has gone on with.

    Raises:
        RuntimeError: it is not finished and `force` is not given.
    """
    target, finished = opened.study.user_attrs[TARGET], opened.num_finished()
    if finished >= target:
        return ()
    if not force:
        raise RuntimeError(
            f"a study must be finished before its best trial is promoted, but {opened.study.study_name} has {finished} "
            f"of {target} trials; go on with python -m search.run --trials {target} and the same settings, or promote what there "
            "is with --force"
        )
    return ("unfinished",)


def warn_of_other_code(opened: OpenStudy, say: Callable[[str], None]) -> None:
    """Say when the study was begun, or some of its trainings were made, with another commit than that of now."""
    store, study = opened.prepared.store, opened.study.study_name
    now = running_source().commit or UNKNOWN
    begun = commit_of(find_runs(store, role="study", study=study)[0])
    made = [commit_of(row) for row in children(store, opened.parent.id) if row.status == "FINISHED"]
    others = [commit for commit in dict.fromkeys((begun, *made)) if commit != now]
    if not others:
        return
    count = sum(commit in others for commit in made)
    what = "the study was begun" if begun in others else f"{count} of the study's trainings were made"
    known = [commit[:12] for commit in others if commit != UNKNOWN]
    look = f"git diff {known[0]} shows what changed" if known else "what changed cannot be told"
    say(
        f"warning: {what} with commit {', '.join(known or [UNKNOWN])} and this is {now[:12]}: its results may not "
        f"compare with what is trained now; {look}"
    )


def commit_of(row: RunRow) -> str:
    """The commit of a run's code; "unknown" where there was no git checkout, whatever the reason."""
    return row.tags.get("git_commit", UNKNOWN).partition(":")[0]
