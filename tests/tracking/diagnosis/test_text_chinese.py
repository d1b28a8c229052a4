"""The Chinese words, against the English ones."""

import re

from tracking.diagnosis import text_chinese, text_english


def test_nothing_lacks_a_translation() -> None:
    assert list(text_chinese.FINDINGS) == list(text_english.FINDINGS)
    assert list(text_chinese.WORDS) == list(text_english.WORDS)
    texts = [text for pair in text_chinese.FINDINGS.values() for text in pair] + list(text_chinese.WORDS.values())
    assert all(re.search(r"[\u4e00-\u9fff]", text) for text in texts)


def test_punctuation_is_full_width_between_chinese_characters() -> None:
    texts = [text for pair in text_chinese.FINDINGS.values() for text in pair] + list(text_chinese.WORDS.values())
    half = re.compile(r"[\u4e00-\u9fff][,;:?!()]|[,;:?!()][\u4e00-\u9fff]|[\u4e00-\u9fff]\.(?!\w)")
    assert [text for text in texts if half.search(text)] == []
    assert all(remedy.endswith("。") for _, remedy in text_chinese.FINDINGS.values())


def test_both_name_the_same_settings_and_numbers() -> None:
    tables = "losses|schedule|optimizer|training|data|network|reference"
    named = re.compile(
        rf"\{{subject\}}|(?:{tables})\.\w+|\[[a-z.]+\]|b?float(?:16|32)|255|0\.05?|uint8|8k\+1", re.ASCII
    )
    for code, (_, english) in text_english.FINDINGS.items():
        assert set(named.findall(text_chinese.FINDINGS[code][1])) == set(named.findall(english)), code
