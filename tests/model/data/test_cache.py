import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from model.data.cache import entry_key, recall
from model.data.decode import Decoded

ROOT = Path(__file__).resolve().parents[3]


def refuse() -> Decoded:
    raise AssertionError("the entry should have been found")


def test_a_hit_gives_the_same_frames_and_makes_nothing(tmp_path, make_frames):
    made = Decoded(make_frames(), damage="after frame 12: broken")
    for recalled in (
        recall(tmp_path / "new" / "folder", "key", lambda: made),
        recall(tmp_path / "new" / "folder", "key", refuse),
    ):
        np.testing.assert_array_equal(recalled.frames, made.frames)
        assert recalled.damage == "after frame 12: broken"
        assert isinstance(recalled.frames, np.memmap)
        assert not recalled.frames.flags.writeable


def test_frames_that_nobody_holds_take_no_file_descriptor(tmp_path, make_frames):
    """Thousands of videos are known at once, and a process often has but 1024 descriptors."""

    def open_files():
        return [link for link in Path("/proc/self/fd").iterdir() if tmp_path in link.resolve().parents]

    stored = recall(tmp_path, "key", lambda: Decoded(make_frames()))
    assert stored.frames.shape == (12, 24, 32, 3)
    assert open_files() == []
    held = stored.frames
    assert len(open_files()) == 1, held.shape


def test_keys_depend_on_every_part():
    keys = {entry_key("a", 1), entry_key("a", 2), entry_key("b", 1), entry_key("a", "1"), entry_key("a1")}
    assert len(keys) == 5
    assert entry_key("a", 1) in keys


def test_what_a_crash_left_behind_is_not_read(tmp_path, make_frames):
    (tmp_path / "key.npy.0123.tmp").write_bytes(b"half a fi")
    frames = make_frames()
    np.testing.assert_array_equal(recall(tmp_path, "key", lambda: Decoded(frames)).frames, frames)


def test_a_failure_leaves_nothing_behind(tmp_path):
    def fail() -> Decoded:
        raise ValueError("cannot be decoded")

    with pytest.raises(ValueError, match="cannot be decoded"):
        recall(tmp_path, "key", fail)
    with pytest.raises(
        ValueError, match="Object arrays"
    ):  # numpy refuses to write objects after it has opened the file
        recall(tmp_path, "key", lambda: Decoded(np.array([object()])))
    assert list(tmp_path.iterdir()) == []


def test_a_cache_that_cannot_be_written_is_an_error(tmp_path, make_frames):
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match=r"the cache must be writable, but .*; make room, or set data.cache_dir"):
        recall(tmp_path / "file" / "videos", "key", lambda: Decoded(make_frames()))


WRITER = """
import sys
from pathlib import Path
import numpy as np
from model.data.cache import recall
from model.data.decode import Decoded

def make():
    print("making", flush=True)
    sys.stdin.readline()  # until the other process is making the same entry
    return Decoded(np.full((9, 64, 64, 3), 7, np.uint8), "damage")

print(int(recall(Path(sys.argv[1]), "key", make).frames.sum()), flush=True)
"""


def test_two_processes_may_write_the_same_entry(tmp_path):
    command = [sys.executable, "-c", WRITER, str(tmp_path)]
    writers = [
        subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(2)
    ]
    assert [writer.stdout.readline() for writer in writers] == ["making\n", "making\n"]
    for writer in writers:
        writer.stdin.write("\n")
        writer.stdin.flush()
    sums = [writer.communicate(timeout=60)[0] for writer in writers]
    assert sums == [f"{9 * 64 * 64 * 3 * 7}\n"] * 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["key.damage.txt", "key.npy"]
    assert recall(tmp_path, "key", refuse).frames.sum() == 9 * 64 * 64 * 3 * 7
