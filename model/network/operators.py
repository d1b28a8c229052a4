"""What torchvision lacks beside a torch without CUDA; called by whoever imports it, or a library that does."""

import importlib.util
import sys
from pathlib import Path

import torch


def declare_missing_operators() -> None:
    """Let torchvision be imported beside a CPU build of torch; does nothing where its own library loads.

    The wheel's library is linked to CUDA libraries that only a CUDA build of torch brings. Without it torchvision still
    describes two operators that nobody has declared, nms and qnms, and that stops the import. Nothing here calls them.
    """
    package = importlib.util.find_spec("torchvision")
    if "torchvision" in sys.modules or package is None or package.origin is None:
        return
    for library in Path(package.origin).parent.glob("_C*"):
        try:
            torch.ops.load_library(library)
        except OSError:
            continue
        return
    for operator in ("nms", "qnms"):
        if hasattr(torch.ops.torchvision, operator):
            continue  # an earlier call declared it, and the import that was to follow did not come
        torch.library.define(f"torchvision::{operator}", "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
