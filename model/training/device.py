"""Which device a run trains on."""

import torch


def resolve_device(name: str) -> torch.device:
    """Turn training.device into a device that is there; "auto" is CUDA where there is a device, else the CPU.

    Raises:
        ValueError: CUDA was asked for and is not there, or the number is not one of its devices.
    """
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if name == "auto":
        name = "cuda" if count else "cpu"
    device = torch.device(name)
    if device.type == "cuda" and (device.index or 0) >= count:
        raise ValueError(
            f"training.device must be a device of this machine, but '{name}' was asked for and CUDA has {count}; "
            'take "auto" or "cpu", or install a driver and torch with CUDA'
        )
    return device


def make_repeatable(device: torch.device) -> None:
    """Have cuDNN take only algorithms that add in the same order each time: a training gives the same bits again on a GPU too.

    A captured step takes as long with them as without (docs/LOG.md).
    """
    if device.type == "cuda":
        torch.backends.cudnn.deterministic = True


def check_precision(precision: str, device: torch.device) -> None:
    """Refuse a precision that the device does not train in.

    Raises:
        ValueError: bfloat16 without CUDA.
    """
    if precision == "bfloat16" and device.type != "cuda":
        raise ValueError(
            f'training.precision = "bfloat16" needs CUDA, but the device is {device}; set training.precision = "float32"'
        )
