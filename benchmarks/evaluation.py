"""What an evaluation alone costs, at the size that the project makes a claim for."""

from typing import TYPE_CHECKING, Any

from benchmarks.clock import Clock

if TYPE_CHECKING:
    import torch

    from model.evaluation.perceptual import Perceptual
    from model.recipe import Recipe

#: The claim: under a second on an H200 for so many clips, frames and pixels, with PSNR, SSIM and LPIPS.
CLIPS, FRAMES, SIDE_PX = 64, 9, 128
#: Evaluations whose median is taken, after a batch that does not count; on a CPU one takes half a minute.
ROUNDS = {"cuda": 5, "cpu": 1}


def measure_evaluation(
    recipe: "Recipe", perceptual: "Perceptual | None", device: "torch.device", clips: int = CLIPS
) -> dict[str, Any]:
    """Evaluate an untrained network of the settings on noise that lies on the host, as validation clips do."""
    import statistics

    import torch

    from model.evaluation.evaluation import evaluate
    from model.network.placement import place
    from model.network.taehv import TAEHV

    network = TAEHV(recipe.network, 0).eval()
    place(network, device)
    generator = torch.Generator().manual_seed(0)
    noise = torch.randint(256, (clips, FRAMES, 3, SIDE_PX, SIDE_PX), dtype=torch.uint8, generator=generator)
    names = [f"noise {number}" for number in range(clips)]

    def reconstruct(video: torch.Tensor) -> torch.Tensor:
        return network.decode(network.encode(video))

    def score(count: int) -> None:
        evaluate(reconstruct, noise[:count], names[:count], recipe.evaluation, perceptual, device)

    score(min(clips, recipe.evaluation.batch_size))
    seconds: list[float] = []
    for _ in range(ROUNDS[device.type]):
        clock = Clock(device)
        with clock.part("evaluation"):
            score(clips)
        seconds += clock.seconds.values()
    return {
        "clips": clips,
        "frames": FRAMES,
        "side_px": SIDE_PX,
        "lpips": perceptual.backbone if perceptual else None,
        "seconds": statistics.median(seconds),
    }
