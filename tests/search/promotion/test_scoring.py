from model.training.checkpoint import WEIGHTS
from model.training.loop import train
from search.promotion.scoring import score_weights
from search.settings import recipe_of


def test_weights_from_a_file_score_what_they_scored_in_training_to_the_last_bit(prepared_once, tiny, tmp_path) -> None:
    settings = tiny("losses.perceptual=0", "training.steps=12", "network.width=0.25")
    steps = train(
        recipe_of(settings), prepared_once.bank, perceptual=None, device=prepared_once.device, folder=tmp_path
    )
    scored = {measurement.step: measurement.scores for measurement in steps if measurement.scores is not None}
    of_file = score_weights(tmp_path / WEIGHTS, settings, prepared_once)
    in_training = scored[settings.training.steps]
    assert [(clip.psnr, clip.ssim) for clip in of_file.clips] == [(clip.psnr, clip.ssim) for clip in in_training.clips]
    assert of_file.score == in_training.score
