from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from model.data.pixels import to_unit
from model.network.reference.pca import (
    PcaReference,
    fit_bytes,
    fit_pca,
    from_patches,
    principal_components,
    sample_patches,
    to_patches,
)
from model.threads import torch_threads


@pytest.fixture(scope="module")
def clips(pans: Callable[..., torch.Tensor]) -> torch.Tensor:
    return pans(24)


@pytest.fixture(scope="module")
def pca(clips: torch.Tensor) -> PcaReference:
    return fit_pca(clips, 16, 4, 8)


@settings(deadline=None, max_examples=20)
@given(st.integers(1, 3), st.integers(1, 4), st.integers(1, 3), st.integers(1, 2), st.integers(1, 2), st.integers(1, 2))
def test_patches_and_back(
    clips: int, latents: int, time_stride: int, space_stride: int, rows: int, columns: int
) -> None:
    frames = time_stride * (latents - 1) + 1
    video = torch.randn(clips, frames, 3, rows * space_stride, columns * space_stride)
    patches = to_patches(video, time_stride, space_stride)
    assert patches.shape == (clips, latents, rows, columns, time_stride * 3 * space_stride**2)
    torch.testing.assert_close(from_patches(patches, time_stride, space_stride), video)


def test_latent_k_covers_the_frames_up_to_4k() -> None:
    video = torch.arange(9.0).view(1, 9, 1, 1, 1).expand(-1, -1, 3, 8, 8)
    covered = to_patches(video, 4, 8)[0, :, 0, 0].unflatten(1, (4, -1))[..., 0]
    assert covered.tolist() == [[0, 0, 0, 0], [1, 2, 3, 4], [5, 6, 7, 8]]


def test_a_change_in_frame_5_changes_only_the_latents_that_cover_it(pca: PcaReference, clips: torch.Tensor) -> None:
    video = to_unit(clips[:1])
    changed = video.clone()
    changed[:, 5, :, :8, :8] = 0.5
    different = (pca.encode(video) != pca.encode(changed)).any(2)[0].nonzero().tolist()
    assert different == [[2, 0, 0]]


def test_it_is_the_optimal_linear_reconstruction(pca: PcaReference, clips: torch.Tensor) -> None:
    """No linear map through 16 numbers does better than the truncated SVD of the centred patches; this one does as well."""
    patches = sample_patches(clips, 4, 8)
    assert len(patches) == 24 * 3 * 16  # all of them
    centred = patches - patches.mean(0)
    optimal = torch.linalg.svdvals(centred)[16:].square().sum() / centred.numel()
    latents = (patches.float() - pca.mean) @ pca.encoding
    ours = (latents @ pca.decoding + pca.mean - patches).square().mean()
    assert float(ours) == pytest.approx(float(optimal), rel=1e-3)


def test_latents_are_standardised_and_uncorrelated_on_the_training_clips(
    pca: PcaReference, clips: torch.Tensor
) -> None:
    latents = pca.encode(to_unit(clips)).permute(0, 1, 3, 4, 2).flatten(0, 3).double()
    torch.testing.assert_close(latents.mean(0), torch.zeros(16, dtype=torch.float64), atol=1e-3, rtol=0)
    torch.testing.assert_close(
        latents.T @ latents / len(latents), torch.eye(16, dtype=torch.float64), atol=1e-3, rtol=0
    )


def test_encoding_what_was_decoded_gives_the_latents_back(pca: PcaReference) -> None:
    """All but latent 0, of whose four frames only one is kept."""
    latents = torch.randn(2, 3, 16, 2, 2, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(pca.encode(pca.decode(latents))[:, 1:], latents[:, 1:], atol=1e-3, rtol=0)


def test_new_clips_come_back_better_than_their_8x8_averages(
    pca: PcaReference, pans: Callable[..., torch.Tensor]
) -> None:
    video = to_unit(pans(12, seed=1))
    error = (pca.decode(pca.encode(video)) - video).square().mean()
    average = torch.nn.functional.avg_pool2d(video.flatten(0, 1), 8).repeat_interleave(8, 2).repeat_interleave(8, 3)
    assert error < 0.5 * (average.view_as(video) - video).square().mean()
    assert pca.decode(pca.encode(video)).shape == video.shape


def test_the_same_clips_give_the_same_bits_and_others_do_not(
    pca: PcaReference, clips: torch.Tensor, pans: Callable[..., torch.Tensor]
) -> None:
    assert fit_pca(clips.clone(), 16, 4, 8).identity == pca.identity
    assert fit_pca(pans(24, seed=2), 16, 4, 8).identity != pca.identity
    assert len(pca.identity) == 12


def test_the_fit_is_of_one_thread_however_many_there_are(pca: PcaReference, clips: torch.Tensor) -> None:
    """So that it takes nothing from compilers beside it, and a machine with more cores makes the same bank."""
    with torch_threads(3):
        assert fit_pca(clips, 16, 4, 8).identity == pca.identity
        assert torch.get_num_threads() == 3


@pytest.mark.parametrize("shape", [(40, 12), (12, 40)])
def test_covariance_and_gram_matrix_give_the_same_components(shape: tuple[int, int]) -> None:
    rows = torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    centred = rows - rows.mean(0)
    components, variances = principal_components(centred, 5)
    _, singular, right = torch.linalg.svd(centred, full_matrices=False)
    torch.testing.assert_close(variances, singular[:5].square() / len(rows))
    torch.testing.assert_close((components * right[:5].T).sum(0).abs(), torch.ones(5, dtype=torch.float64))
    assert (components.gather(0, components.abs().argmax(0, keepdim=True)) > 0).all()


@pytest.mark.parametrize(("channels", "time_stride", "space_stride"), [(48, 4, 16), (128, 8, 32)])
def test_large_patches_are_fitted_too(
    pans: Callable[..., torch.Tensor], channels: int, time_stride: int, space_stride: int
) -> None:
    training = pans(40, px=64)[..., : 2 * space_stride, : 2 * space_stride]
    pca = fit_pca(training, channels, time_stride, space_stride)
    latents = pca.encode(to_unit(training))
    assert latents.shape[1:] == (8 // time_stride + 1, channels, 2, 2)
    assert latents.std() == pytest.approx(1, abs=0.01)
    assert (pca.decode(latents) - to_unit(training)).square().mean() < 0.005


def test_a_bounded_number_of_patches_is_taken_evenly_from_all_clips_and_places(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("model.network.reference.pca.MAX_FIT_VALUES", 64 * 768)
    # Red tells the clip and green the place, so that a patch says where it is from; a clip has 48 patches, 16 places.
    clips = torch.zeros(64, 9, 3, 32, 32, dtype=torch.uint8)
    clips[:, :, 0] = torch.arange(64, dtype=torch.uint8).view(64, 1, 1, 1)
    clips[:, :, 1] = torch.arange(16, dtype=torch.uint8).view(4, 4).repeat_interleave(8, 0).repeat_interleave(8, 1)
    patches = sample_patches(clips, 4, 8)
    assert patches.shape == (64, 768)
    colours = (patches.unflatten(1, (4, 3, 64))[:, 0, :2, 0] * 255).round().long()
    assert colours[:, 0].tolist() == list(range(64))
    places = colours[:, 1].bincount(minlength=16)
    assert places.min() >= 2
    assert places.max() <= 6


@pytest.mark.parametrize("count", [5, 16])
def test_too_few_patches_are_refused(count: int) -> None:
    clips = torch.randint(0, 255, (1, 1, 3, 8, 8 * count), dtype=torch.uint8)
    with pytest.raises(ValueError, match=f"more than 16 training patches .* but has {count} of 768; raise"):
        fit_pca(clips, 16, 4, 8)


def test_clips_without_variety_are_refused() -> None:
    with pytest.raises(ValueError, match="must see training clips that vary in that many directions"):
        fit_pca(torch.full((8, 9, 3, 32, 32), 7, dtype=torch.uint8), 16, 4, 8)


def test_the_memory_of_a_fit_is_known_before() -> None:
    """9 frames of 16 px: 12 patches of 768 values a clip in float64; the smaller of 12 and 768 has a side of 12."""
    assert sample_patches(torch.zeros(1, 9, 3, 16, 16, dtype=torch.uint8), 4, 8).nbytes == 12 * 768 * 8
    chunk, decomposition = 7 * 9 * 3 * 16 * 16, 5 * 12 * 12 * 8
    assert chunk > decomposition
    assert fit_bytes(1, 9, 16, 16, 4, 8) == 12 * 768 * 8 + chunk
    # Of 40 clips 8 are made patches at once, less than five matrices of 480 x 480.
    assert fit_bytes(40, 9, 16, 16, 4, 8) == 40 * 12 * 768 * 8 + 5 * 480 * 480 * 8


def test_a_fit_never_takes_more_patches_than_are_allowed() -> None:
    """768 values: 2**25 over that, 43,690 patches. 8 x 32 x 32 x 3 = 24,576 values: 1365."""
    assert fit_bytes(10**6, 9, 64, 64, 4, 8) == 43_690 * 768 * 8 + 5 * 768 * 768 * 8
    assert fit_bytes(10**6, 9, 64, 64, 8, 32) == 1365 * 24_576 * 8 + 5 * 1365 * 1365 * 8
