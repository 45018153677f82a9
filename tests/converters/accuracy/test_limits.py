"""Limits that the user set."""

from converters.accuracy.limits import Limits


def test_without_labels_a_drop_becomes_the_agreement_that_implies_it() -> None:
    assert Limits(max_drop_points=2).without_labels() == Limits(min_agreement_percent=98)
    assert Limits(2, 99).without_labels() == Limits(min_agreement_percent=99)
    assert Limits(min_agreement_percent=97).without_labels() == Limits(min_agreement_percent=97)
