"""Pictures of the documents."""

from tests.commands import ROOT


def test_pictures_of_the_readme_are_small_enough() -> None:
    pictures = list((ROOT / "docs" / "pictures").iterdir())
    assert pictures
    assert all(picture.stat().st_size < 300_000 for picture in pictures)
