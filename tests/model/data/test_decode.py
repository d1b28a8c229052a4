import struct

import numpy as np
import pytest

from model.data.decode import UnreadableError, decode, scaled_size


@pytest.mark.parametrize("ending", ["mkv", "mp4", "mov", "avi", "no-ending"])
def test_lossless_frames_come_back_as_they_were(tmp_path, write_video, make_frames, ending):
    frames = make_frames()
    path = write_video(tmp_path / f"video.{ending if ending != 'no-ending' else 'mkv'}", frames)
    if ending == "no-ending":
        path = path.rename(tmp_path / "video")
    decoded = decode(path, short_side_px=32, max_frames=300)
    assert decoded.frames.dtype == np.uint8
    assert decoded.damage == ""
    np.testing.assert_array_equal(decoded.frames, frames)


def test_frames_are_averaged_over_areas_and_never_scaled_up(tmp_path, write_video, make_frames):
    frames = make_frames(height=48, width=64)
    path = write_video(tmp_path / "video.mkv", frames)
    areas = frames.reshape(12, 24, 2, 32, 2, 3).mean((2, 4))
    assert np.abs(decode(path, 24, 300).frames - areas).max() <= 0.5  # rounding
    np.testing.assert_array_equal(decode(path, 480, 300).frames, frames)


@pytest.mark.parametrize(
    ("size", "expected"),
    [((640, 480), (128, 96)), ((480, 640), (96, 128)), ((96, 400), (96, 400)), ((20, 30), (20, 30))],
)
def test_short_side_is_what_is_scaled(size, expected):
    assert scaled_size(*size, short_side_px=96) == expected


def test_decoding_stops_at_the_greatest_length(tmp_path, write_video, make_frames):
    frames = make_frames(frames=12)
    np.testing.assert_array_equal(decode(write_video(tmp_path / "video.mkv", frames), 32, 10).frames, frames[:10])


def test_grey_becomes_three_equal_channels(tmp_path, write_video, make_frames):
    grey = make_frames()[..., 0]
    decoded = decode(write_video(tmp_path / "grey.mkv", grey, codec="ffv1", pixel_format="gray"), 32, 300)
    np.testing.assert_array_equal(decoded.frames, np.repeat(grey[..., None], 3, axis=3))


def test_vertical_video_stays_vertical(tmp_path, write_video, make_frames):
    frames = make_frames(height=64, width=24)
    assert decode(write_video(tmp_path / "vertical.mp4", frames), 16, 300).frames.shape == (12, 43, 16, 3)


def test_variable_frame_rate_is_taken_frame_by_frame(tmp_path, write_video, make_frames):
    frames = make_frames()
    times_ms = [0, 1, 40, 41, 500, 501, 502, 3000, 3040, 3080, 9000, 9001]
    np.testing.assert_array_equal(
        decode(write_video(tmp_path / "v.mkv", frames, times_ms=times_ms), 32, 300).frames, frames
    )


def test_display_rotation_is_honoured(tmp_path, write_video, make_frames):
    frames = make_frames()
    path = write_video(tmp_path / "turned.mp4", frames)
    content = bytearray(path.read_bytes())
    # ISO 14496-12, 8.3.2: the matrix stands 40 bytes into a version 0 tkhd box; this one is a phone's quarter turn clockwise.
    matrix = content.index(b"tkhd") + 4 + 40
    content[matrix : matrix + 36] = struct.pack(">9i", 0, 1 << 16, 0, -(1 << 16), 0, 0, 0, 0, 1 << 30)
    path.write_bytes(content)
    np.testing.assert_array_equal(decode(path, 32, 300).frames, np.rot90(frames, -1, axes=(1, 2)))


def test_tags_in_no_known_encoding_do_no_harm(tmp_path, write_video, make_frames):
    path = write_video(tmp_path / "tagged.mkv", make_frames())
    content = path.read_bytes()
    encoder = b"Lavf"  # stands in the tags that the writer leaves
    assert encoder in content
    path.write_bytes(content.replace(encoder, b"\xff\xfe\xff\x80"))
    np.testing.assert_array_equal(decode(path, 32, 300).frames, make_frames())


def spoil(path, packet):
    """Overwrite the signature of one PNG packet."""
    content = bytearray(path.read_bytes())
    place = -1
    for _ in range(packet + 1):
        place = content.index(b"\x89PNG", place + 1)
    content[place : place + 4] = b"\0\0\0\0"
    path.write_bytes(content)


def test_the_first_damage_ends_a_video_and_is_named(tmp_path, write_video, make_frames):
    frames = make_frames()
    path = write_video(tmp_path / "damaged.mov", frames, codec="png")
    spoil(path, packet=10)
    decoded = decode(path, 32, 300)
    np.testing.assert_array_equal(decoded.frames, frames[:10])
    assert decoded.damage.startswith("after frame 10: ")


def test_damage_before_the_first_frame_is_passed_over(tmp_path, write_video, make_frames):
    frames = make_frames()
    path = write_video(tmp_path / "damaged.mov", frames, codec="png")
    spoil(path, packet=0)
    decoded = decode(path, 32, 300)
    np.testing.assert_array_equal(decoded.frames, frames[1:])
    assert decoded.damage == ""


def test_a_change_of_size_ends_a_video(tmp_path, write_video, make_frames):
    small = write_video(tmp_path / "small.264", make_frames(), codec="libx264", pixel_format="yuv420p")
    large = write_video(
        tmp_path / "large.264", make_frames(height=48, width=64), codec="libx264", pixel_format="yuv420p"
    )
    both = tmp_path / "both.264"
    both.write_bytes(small.read_bytes() + large.read_bytes())
    decoded = decode(both, 48, 300)
    assert decoded.frames.shape == (12, 24, 32, 3)
    assert "size changes from (32, 24) to (64, 48)" in decoded.damage


def corrupt_files(tmp_path, write_video, make_frames):
    video = write_video(tmp_path / "video.mp4", make_frames())
    write_video(tmp_path / "outside" / "good.mkv", make_frames())
    (tmp_path / "truncated.mp4").write_bytes(video.read_bytes()[:500])
    (tmp_path / "random.mp4").write_bytes(np.random.default_rng(0).bytes(20_000))
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "prose").write_text("no video\n" * 500)
    (tmp_path / "readme.nfo").write_text("FFmpeg would film this text\n" * 500)
    (tmp_path / "list.ffconcat").write_text("ffconcat version 1.0\nfile outside/good.mkv\n")
    (tmp_path / "list.m3u8").write_text(
        "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\noutside/good.mkv\n#EXT-X-ENDLIST\n"
    )
    return [
        "truncated.mp4",
        "random.mp4",
        "empty.mp4",
        "prose",
        "readme.nfo",
        "list.ffconcat",
        "list.m3u8",
        "missing.mp4",
    ]


def test_what_is_no_video_is_unreadable(tmp_path, write_video, make_frames):
    """Among them playlists: they name other files, which must not be opened."""
    for name in corrupt_files(tmp_path, write_video, make_frames):
        with pytest.raises(UnreadableError, match=r"^(it|no frame) "):
            decode(tmp_path / name, 32, 300)


def test_sound_alone_is_unreadable(tmp_path):
    import av

    path = tmp_path / "sound.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.int16), layout="mono")
        frame.rate = 8000
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    with pytest.raises(UnreadableError, match="no video stream"):
        decode(path, 32, 300)
