from search.workers.handle import ending


def test_an_ending_is_said_in_words() -> None:
    assert ending(3) == "ended with exit code 3"
    assert ending(-9) == "ended with exit code -9"
    assert ending(None) == "was lost with its process or its node"
