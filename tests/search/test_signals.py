import os
import signal

import pytest

from search.signals import sigterm_as_interrupt, stop_on_signal


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_is_a_request_and_the_second_stops(number: int) -> None:
    with stop_on_signal() as stop:
        assert not stop
        assert stop.cause == "an error of the coordinator"
        os.kill(os.getpid(), number)
        assert stop
        assert stop.signal_name == stop.cause == signal.Signals(number).name
        with pytest.raises(KeyboardInterrupt, match="second signal"):
            os.kill(os.getpid(), number)


def test_the_handlers_of_before_come_back() -> None:
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    with stop_on_signal():
        assert signal.getsignal(signal.SIGINT) != before[0]
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before


def test_before_there_are_trials_sigterm_ends_the_work_as_ctrl_c_does() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(KeyboardInterrupt, match="stopped by SIGTERM"), sigterm_as_interrupt():
        os.kill(os.getpid(), signal.SIGTERM)
    assert signal.getsignal(signal.SIGTERM) == before
