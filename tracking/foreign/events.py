"""Curves from TensorBoard's event files: every record's checksum is verified, nothing is read by half."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

#: Part of every event file's name.
EVENT_FILE = "tfevents"

#: A record is its length (8 bytes), the length's checksum (4), the content, the content's checksum (4).
FRAME_BYTES = 16

#: Where curves stand that have no name here.
FOREIGN = "foreign/"

Curve = list[tuple[int, float]]


@dataclass(frozen=True)
class Events:
    """Curves of a run by their names here, where each stood, and the tags that stand for nothing known (under foreign/)."""

    curves: dict[str, Curve]
    origins: dict[str, str]
    unmapped: tuple[str, ...]


@dataclass
class Scalars:
    """The scalars of one folder: by tag and step, when and what was written last."""

    points: dict[str, dict[int, tuple[float, float]]] = field(default_factory=dict)

    def add(self, tag: str, step: int, time_s: float, value: float) -> None:
        """Take a point; of two of one step the later written stays, as after an interruption."""
        points = self.points.setdefault(tag, {})
        if step not in points or points[step][0] <= time_s:
            points[step] = (time_s, value)

    def curve(self, tag: str) -> Curve:
        """The points of a tag by step."""
        return [(step, value) for step, (_, value) in sorted(self.points[tag].items())]


def read_events(path: Path, names: Mapping[str, tuple[str, ...]]) -> Events:
    """Read the scalars of all event files below a folder.

    Args:
        path: TensorBoard's folder of one run, or one event file.
        names: tags that stand for each curve, the first one that a run has being taken.

    Raises:
        ValueError: there is no event file, no scalar, a damaged or truncated file, or several runs in the folder.
        RuntimeError: the package tensorboard is not installed.
    """
    curves = join_folders(path, {folder: read_folder(files) for folder, files in event_files(path).items()})
    if not curves:
        raise ValueError(f"--events must hold scalars, but the event files in {path} have none; check the path")
    return name_curves(curves, names)


def event_files(path: Path) -> dict[Path, list[Path]]:
    """Event files by their folder, links left out."""
    if not path.exists():
        raise ValueError(f"--events must be a TensorBoard folder, but there is no {path}; check the path")
    files = [path] if path.is_file() else sorted(file for file in path.rglob(f"*{EVENT_FILE}*") if file.is_file())
    folders: dict[Path, list[Path]] = {}
    for file in files:
        if path.is_file() or not file.is_symlink():
            folders.setdefault(file.parent, []).append(file)
    if not folders:
        raise ValueError(f"--events must hold event files (*{EVENT_FILE}*), but {path} has none; check the path")
    return folders


def read_folder(files: list[Path]) -> Scalars:
    """Join the event files of one folder: a run that was started again writes another one."""
    scalars = Scalars()
    for file in files:
        plugins: dict[str, str] = {}
        for event in read_file(file):
            for value in event.summary.value:
                # Only the first value of a tag says which plugin it is for.
                plugin = plugins.setdefault(value.tag, value.metadata.plugin_data.plugin_name)
                number = scalar_of(value) if plugin in ("", "scalars") else None
                if number is not None:
                    scalars.add(value.tag, event.step, event.wall_time, number)
    return scalars


def read_file(file: Path) -> Iterator[Any]:
    """Yield the events of a file.

    TensorBoard's own loaders end at a damaged record as if the file ended there (docs/decisions/0008), so the records are
    taken from the reader below them, which says so.
    """
    try:
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.compat.tensorflow_stub import errors
        from tensorboard.compat.tensorflow_stub.pywrap_tensorflow import PyRecordReader_New
    except ImportError as error:
        raise RuntimeError(
            "reading event files needs the package tensorboard, which is not installed; pip install 'taehv-search[tensorboard]'"
        ) from error
    from google.protobuf.message import DecodeError

    reader, good_bytes, count = PyRecordReader_New(str(file)), 0, 0
    while True:
        try:
            reader.GetNext()
            event = Event.FromString(reader.record())
        except errors.OutOfRangeError:
            return
        except (errors.DataLossError, DecodeError) as error:
            raise ValueError(
                f"an event file must be whole, but {file} is damaged after {count} events ({good_bytes} of "
                f"{file.stat().st_size} bytes); copy it again, or keep the whole part: head -c {good_bytes} FILE > NEW"
            ) from error
        good_bytes += FRAME_BYTES + len(reader.record())
        count += 1
        yield event


def scalar_of(value: Any) -> float | None:
    """The number in a summary value, of the old form (simple_value) or the new one (a tensor with one number)."""
    from tensorboard.util import tensor_util

    kind = value.WhichOneof("value")
    if kind == "simple_value":
        return float(value.simple_value)
    if kind != "tensor":
        return None
    array = tensor_util.make_ndarray(value.tensor)
    return float(array.item()) if array.size == 1 and array.dtype.kind in "fiu" else None


def join_folders(path: Path, folders: Mapping[Path, Scalars]) -> dict[str, Curve]:
    """Join the folders of one run; a tag that several have gets the subfolder before it, as add_scalars makes them."""
    owners: dict[str, list[Path]] = {}
    for folder, scalars in folders.items():
        for tag in scalars.points:
            owners.setdefault(tag, []).append(folder)
    curves: dict[str, Curve] = {}
    for tag, places in owners.items():
        if len(places) > 1 and path not in folders:
            raise ValueError(
                f"--events must be one run, but tag {tag} stands in {len(places)} folders below {path}, such as "
                f"{places[0]} and {places[1]}; give one of them"
            )
        for folder in places:
            alone = len(places) == 1 or folder == path
            curves[tag if alone else f"{folder.relative_to(path).as_posix()}/{tag}"] = folders[folder].curve(tag)
    return curves


def name_curves(curves: Mapping[str, Curve], names: Mapping[str, tuple[str, ...]]) -> Events:
    """Give the curves their names here."""
    chosen = {}
    for ours, theirs in names.items():
        tag = next((tag for tag in (ours, *theirs) if tag in curves), None)
        if tag is not None:
            chosen[tag] = ours
    unmapped = tuple(tag for tag in curves if tag not in chosen)
    return Events(
        curves={chosen.get(tag, FOREIGN + tag): points for tag, points in curves.items()},
        origins={ours: f"tag {tag}" for tag, ours in chosen.items()},
        unmapped=unmapped,
    )
