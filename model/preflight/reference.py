"""The frozen teacher: its latents, whether it says the same thing twice, whether its pictures come late."""

import torch

from model.bank import Bank, in_batches
from model.data.pixels import to_unit
from model.network.reference import build_reference
from model.preflight.frames import shift_between
from model.preflight.report import ReferenceCheck
from model.recipe import Recipe
from model.training.batches import clip_indices, take_batch

#: Batches that are encoded again.
BATCHES = 2


def check_reference(recipe: Recipe, bank: Bank, device: torch.device) -> ReferenceCheck:
    """Build the reference again as the bank does, and compare its latents with those that training gets.

    Building it again is most of the cost: 4 s for the linear one on two cores, a file to read for the others. It is what
    shows a bank whose stored latents are of another teacher.
    """
    latents = bank.training_latents
    std, mean = (float(value) for value in torch.std_mean(latents.double(), correction=0))
    reference = build_reference(recipe.reference, recipe.network, bank.training, device)
    differences = []
    for step in range(BATCHES):
        given = take_batch(bank, step, recipe, device).latents.cpu()
        indices = clip_indices(step, len(bank.training), recipe.training.batch_size, recipe.training.seed)
        again = in_batches(reference.encode, bank.training[indices], recipe.training.batch_size, device)
        differences.append((given - again).double().square().mean())
    difference = float(torch.stack(differences).mean().sqrt())
    return ReferenceCheck(
        latent_mean=mean,
        latent_std=std,
        repeat_difference=difference / max(std, torch.finfo(torch.float64).tiny),
        frame_shift=shift_between(bank.validation_round_trip, to_unit(bank.validation)),
    )
