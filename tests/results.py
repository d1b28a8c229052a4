"""What a trial left in the record, for comparison with a trial that nobody disturbed."""

from tracking.query import history, read_json
from tracking.store import Store, artifact_folder


def result_of(store: Store, run_id: str) -> dict:
    """All that a trial's run holds, but for what a clock measured and which checkpoints later trials left it."""
    run, folder = store.client.get_run(store.delivery.id_of(run_id)), artifact_folder(store, run_id)
    measured = [name for name in run.data.metrics if not name.startswith("time/")]
    return {
        "status": run.info.status,
        "params": run.data.params,
        "tags": {name: run.data.tags[name] for name in ("state", "diagnosis", "identity", "data_digest")},
        "curves": {name: history(store, run_id, name) for name in measured},
        "texts": {name: (folder / name).read_text() for name in ("diagnosis.md", "diagnosis.zh.md", "diagnosis.json")},
        "evaluation": read_json(store, run_id, "evaluation.json"),
        "files": {
            path.relative_to(folder).as_posix()
            for path in folder.rglob("*")
            if path.is_file() and not {"images", "checkpoint"} & set(path.parts)
        },
        "pictures": len(list((folder / "images").glob("*.png"))),
    }
