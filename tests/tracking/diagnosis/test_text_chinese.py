"""The Chinese words, against the English ones."""

import re

from tracking.diagnosis import text_chinese, text_english


def test_nothing_lacks_a_translation() -> None:
    assert list(text_chinese.FINDINGS) == list(text_english.FINDINGS)
    assert list(text_chinese.WORDS) == list(text_english.WORDS)
    texts = [text for pair in text_chinese.FINDINGS.values() for text in pair] + list(text_chinese.WORDS.values())
    assert all(re.search(r"[\u4e00-\u9fff]", text) for text in texts)


def test_both_name_the_same_settings_and_numbers() -> None:
    named = re.compile(r"\{subject\}|(?:losses|schedule|optimizer)\.\w+|\[search\.space\]|float32|bfloat16|255|uint8")
    for code, (_, english) in text_english.FINDINGS.items():
        assert set(named.findall(text_chinese.FINDINGS[code][1])) == set(named.findall(english)), code
