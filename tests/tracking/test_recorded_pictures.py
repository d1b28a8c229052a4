"""Pictures read back from the record."""

import shutil

import numpy as np

from tracking.artifacts import fetch
from tracking.pictures import picture_name, write_picture
from tracking.recorded_pictures import image_names, pictures_of
from tracking.run import start_run
from tracking.store import Store, own_folder


def plain(value: int) -> np.ndarray:
    return np.full((8, 8, 3), value, np.uint8)


def test_the_pictures_of_a_series_come_by_step(store: Store) -> None:
    run = start_run(store, "a", "trial", None, {})
    for step in (20, 3):
        run.picture(plain(step), "val/clips", step)
    run.picture(plain(7), "other", 3)
    run.flush()
    store.outbox.deliver()
    found = pictures_of(store, run.id, "val/clips")
    assert list(found) == [3, 20]
    assert all(path.is_file() and path.suffix == ".png" for path in found.values())
    assert len(image_names(store, run.id)) == 6  # each with its small copy


def test_of_a_step_that_was_drawn_twice_the_newer_counts(store: Store) -> None:
    run = start_run(store, "a", "trial", None, {})
    run.picture(plain(1), "val", 3)
    run.flush()
    late, early = picture_name("val", 3, 10**14), picture_name("val", 3, 1)
    for name in (late, early):
        write_picture(own_folder(store, run.id), name, plain(2))
    assert pictures_of(store, run.id, "val") == {3: fetch(store, run.id, f"images/{late}.png")}


def test_a_run_without_pictures_has_none(store: Store) -> None:
    run = start_run(store, "a", "trial", None, {})
    assert pictures_of(store, run.id, "val") == {}


def test_pictures_that_are_not_here_come_from_the_server(far_store: Store) -> None:
    run = start_run(far_store, "a", "trial", None, {})
    run.picture(plain(1), "val", 3)
    run.flush()
    far_store.outbox.deliver()
    shutil.rmtree(own_folder(far_store, run.id))
    (path,) = pictures_of(far_store, run.id, "val").values()
    assert path.is_file()
