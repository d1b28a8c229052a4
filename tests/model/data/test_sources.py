import json

import pytest

from model.data.sources import list_annotation, list_files, list_folder
from model.settings import SettingsError


def touch(root, *names):
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def annotate(path, *entries, **more):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"total": len(entries), "list": list(entries), **more}))
    return path


def names(listing):
    return [file.name for file in listing.files]


def test_a_folder_is_listed_with_its_folders_in_order_without_hidden_and_side_files(tmp_path):
    touch(tmp_path, "b.mp4", "a/z.264", "a/B.AVI", "a/no-ending", "c.webm", "clip.unknown")
    touch(tmp_path, "README.md", "annotations.JSON", "a/thumbnail.jpg", "a/sound.wav", ".hidden.mp4", ".git/d.mp4")
    listing = list_folder(tmp_path)
    assert names(listing) == ["a/B.AVI", "a/no-ending", "a/z.264", "b.mp4", "c.webm", "clip.unknown"]
    assert listing.side_files == 4
    assert all(file.path == tmp_path / file.name for file in listing.files)


def test_a_folder_without_videos_is_refused(tmp_path):
    with pytest.raises(SettingsError, match=r"holds no files; check data.source"):
        list_folder(tmp_path)
    touch(tmp_path, "a.txt", "b/c.csv")
    with pytest.raises(SettingsError, match=r"only 2 files that are no videos"):
        list_folder(tmp_path)


@pytest.mark.parametrize("source", ["missing", "video.mp4"])
def test_a_source_that_is_neither_folder_nor_annotation_is_refused(tmp_path, make_settings, source):
    touch(tmp_path, "video.mp4")
    with pytest.raises(SettingsError, match=rf"data.source must be .*{source}.*give the folder"):
        list_files(make_settings(source=str(tmp_path / source)))


def test_an_annotation_names_files_relative_to_its_folder_or_the_root(tmp_path, make_settings):
    root = tmp_path / "root"
    touch(root, "a/b.mp4")
    entries = [
        {"path": "a/b.mp4", "duration": 1e9, "frames": -5},
        {"full_path": str(root / "c.mp4")},
        {"path": "a/../c.mp4"},  # the same file once more
        {"path": "missing.mp4", "frames": "?"},
    ]
    inside = annotate(root / "list.json", *entries)
    outside = annotate(tmp_path / "lists" / "list.json", *entries)
    for listing in (
        list_files(make_settings(source=str(inside))),
        list_files(make_settings(source=str(outside), root=str(root))),
    ):
        assert names(listing) == ["a/b.mp4", "c.mp4", "missing.mp4"]
        assert [file.path for file in listing.files] == [root / name for name in names(listing)]


def test_a_relative_root_is_understood(tmp_path, monkeypatch, make_settings):
    touch(tmp_path, "root/a.mp4")
    annotation = annotate(tmp_path / "list.json", {"path": "a.mp4"}, {"full_path": str(tmp_path / "root" / "b.mp4")})
    monkeypatch.chdir(tmp_path)
    assert names(list_files(make_settings(source=annotation.name, root="root"))) == ["a.mp4", "b.mp4"]


@pytest.mark.parametrize(
    "given", ["../outside.mp4", "a/../../outside.mp4", "/etc/passwd", "link/outside.mp4", "link.mp4"]
)
def test_a_path_outside_the_root_is_refused(tmp_path, given):
    root = tmp_path / "root"
    touch(tmp_path, "root/inside.mp4", "elsewhere/outside.mp4")
    (root / "link").symlink_to(tmp_path / "elsewhere")
    (root / "link.mp4").symlink_to(tmp_path / "elsewhere" / "outside.mp4")
    annotation = annotate(root / "list.json", {"path": "inside.mp4"}, {"path": given})
    with pytest.raises(
        SettingsError, match=rf"must stay inside data.root, but entry 1 of .* '{given}'.*; set data.root"
    ):
        list_annotation(annotation, root)


def test_a_root_that_is_a_link_is_followed(tmp_path):
    touch(tmp_path, "real/a/b.mp4")
    (tmp_path / "root").symlink_to(tmp_path / "real")
    annotation = annotate(tmp_path / "list.json", {"path": "a/b.mp4"}, {"path": str(tmp_path / "real" / "a" / "c.mp4")})
    assert names(list_annotation(annotation, tmp_path / "root")) == ["a/b.mp4", "a/c.mp4"]


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"list": 3}', '{"list": []}', '{"list": [{}]}', '{"list": ["a"]}', '{"list": [{"path": 3}]}']
)
def test_an_annotation_of_another_form_is_refused(tmp_path, text):
    path = tmp_path / "list.json"
    path.write_text(text)
    with pytest.raises(SettingsError, match=r"annotation file must"):
        list_annotation(path, tmp_path)


def test_a_root_that_is_missing_is_refused(tmp_path):
    with pytest.raises(SettingsError, match=r"data.root must be the folder .* is no folder"):
        list_annotation(annotate(tmp_path / "list.json", {"path": "a.mp4"}), tmp_path / "missing")
