from multiprocessing import Pipe

from search.slot import Running, Slot
from search.workers.local import LocalWorker


def test_silence_counts_at_the_start_and_in_a_trial_and_only_while_no_word_waits() -> None:
    ours, theirs = Pipe()
    worker = LocalWorker.__new__(LocalWorker)  # its end of the pipe without a process behind it
    worker.connection = ours
    slot = Slot(worker, heard_s=100.0)
    assert slot.silent_s(130.0) == 30
    slot.ready = True
    assert slot.silent_s(130.0) == 0
    slot.running = Running(trial=None, record=None)
    assert slot.silent_s(130.0) == 30
    theirs.send("a measurement")
    assert slot.silent_s(130.0) == 0
