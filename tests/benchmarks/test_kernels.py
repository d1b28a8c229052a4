import pytest
import torch

from benchmarks.kernels import measure_kernels


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_kernels_are_counted_and_timed_by_repeat() -> None:
    one, other = torch.ones(4096, 4096, device="cuda"), torch.ones(1024, device="cuda")

    def work() -> None:
        for _ in range(3):
            one @ one
            other.add_(1)
            other.add_(1)

    work()
    measured = measure_kernels(work, 3)
    assert measured["kernels"] == pytest.approx(3, abs=0.5)
    assert measured["kernel_ms"] > 0.5  # 137 GFLOP in float32 at less than 70 TFLOP/s
    assert 0 < measured["busy_share"] <= 1.05
    longest, second = measured["longest"][:2]
    assert longest["count"] == 1
    assert second["count"] == 2
    assert longest["ms"] > 100 * second["ms"]
