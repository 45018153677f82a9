"""Options that take a share, a percentage, points, an amount, or one of a few words.

A share goes from 0 to 1, a percentage from 0 to 100; both may be written with a sign, ``30%``, and
then mean the same. Without a sign, a number that only makes sense in the other unit is refused
instead of being taken by its letter.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from edge_effnet.errors import UsageProblem
from edge_effnet.spelling import did_you_mean, not_understood, read_amount, read_number

if TYPE_CHECKING:
    _Choice = click.Choice[str]
    _ParamType = click.ParamType[float]
else:  # generic since click 8.2, which Raspberry Pi OS lacks
    _Choice = click.Choice
    _ParamType = click.ParamType

LEAST_AMOUNT = 1000  # of multiply-adds, parameters or bytes: less is a number without its unit


class Quantity(_ParamType):
    """A number with a unit of its own; the error names its option, in one line."""

    def parse(self, text: str, option: str) -> float:
        """Read what stands behind ``option``.

        Raises:
            UsageProblem: no number, out of range, or one that makes sense in another unit alone.
        """
        raise NotImplementedError

    def convert(
        self,
        value: Any,
        param: click.Parameter | None,
        ctx: click.Context | None,  # noqa: ARG002
    ) -> float:
        return self.parse(value, _name_of(param)) if isinstance(value, str) else float(value)


class Share(Quantity):
    """``0.3`` or ``30%``, to the float 0.3; ``30`` is refused.

    Args:
        low, high: the least and the largest share.
        low_open, high_open: whether these themselves are refused.
    """

    name = "share"

    def __init__(
        self,
        low: float = 0.0,
        high: float = 1.0,
        *,
        low_open: bool = False,
        high_open: bool = False,
    ) -> None:
        self.low, self.high, self.low_open, self.high_open = low, high, low_open, high_open

    def parse(self, text: str, option: str) -> float:
        number, signed = _number(text, option, example="0.3 or 30%")
        share = number / 100 if signed else number
        above = share > self.low or (share == self.low and not self.low_open)
        below = share < self.high or (share == self.high and not self.high_open)
        if above and below and (signed or number <= 1):
            return share
        meant = number if not signed and 1 < number <= 100 * self.high else None
        raise UsageProblem(
            f"{option} is a share",
            found=repr(text),
            expected=f"{'more than' if self.low_open else 'at least'} {self.low:g} and "
            f"{'less than' if self.high_open else 'at most'} {self.high:g}, or the same with a %",
            fix=f"{option} {meant:g}% or {option} {meant / 100:g}" if meant else "choose another",
        )


class _OfHundred(Quantity):
    """0 to 100, with or without a sign; a number without one that looks like a share is refused.

    Attributes:
        unit, example: for errors.
    """

    unit: str
    example: str

    def parse(self, text: str, option: str) -> float:
        number, signed = _number(text, option, example=self.example)
        found, expected, fix = repr(text), "0 to 100", f"for example {option} {self.example}"
        if 0 <= number <= 100:
            doubt = self.doubt(number, text, option) if number and not signed else None
            if doubt is None:
                return number
            found, expected, fix = doubt
        raise UsageProblem(f"{option} is {self.unit}", found=found, expected=expected, fix=fix)

    def doubt(self, number: float, text: str, option: str) -> tuple[str, str, str] | None:
        """What is found, expected and to fix where a share was meant, most likely."""
        raise NotImplementedError


class Percent(_OfHundred):
    """``99`` or ``99%``, to the float 99.0; ``0.99`` and ``1`` are refused: shares of 1, most
    likely, and 1 % at the least otherwise."""

    name, unit, example = "percent", "in per cent", "99"

    def doubt(self, number: float, text: str, option: str) -> tuple[str, str, str] | None:
        if number > 1:
            return None
        return (
            f"{text!r}, which is a share or less than one in a hundred",
            "a number such as 99, or 99%",
            f"{option} {100 * number:g}, or {option} {number:g}% if so little is meant",
        )


class Points(_OfHundred):
    """``0.5`` or ``0.5%``, to the float 0.5: hundredths of the images, not of a figure.

    Args:
        least: what is less, but not 0, is taken for a share of 1 and refused without a sign.
    """

    name, unit, example = "points", "in points, of which 100 are all images", "0.5"

    def __init__(self, least: float) -> None:
        self.least = least

    def doubt(self, number: float, text: str, option: str) -> tuple[str, str, str] | None:
        if number >= self.least:
            return None
        return (
            f"{text!r}, too little to be seen on a usual number of images",
            f"0, or {self.least:g} and more",
            f"{option} {100 * number:g} if a share was meant, {option} {number:g}% if not",
        )


class Amount(Quantity):
    """``200M``, ``4.5MB``, to a float of multiply-adds, parameters or bytes."""

    name = "amount"

    def parse(self, text: str, option: str) -> float:
        amount = read_amount(text, option)
        if amount < LEAST_AMOUNT:
            expected = "an amount with its unit, of which there are some thousand at least"
            raise not_understood(option, text, expected=expected, example=f"{text.strip()}M")
        return amount


class OneOf(_Choice):
    """``click.Choice`` whose error is one line that knows slips: ``--baseline ResNet-50``."""

    def convert(
        self,
        value: Any,
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> str:
        if value not in self.choices:
            raise UsageProblem(
                f"{_name_of(param)} does not know {value!r}{did_you_mean(value, self.choices)}",
                expected=f"one of {', '.join(self.choices)}",
                fix="choose one of these",
            )
        return str(super().convert(value, param, ctx))


def _number(text: str, option: str, *, example: str) -> tuple[float, bool]:
    """A number, and whether a ``%`` stands behind it.

    Raises:
        UsageProblem: no number.
    """
    found = read_number(text)
    if found is None:
        raise not_understood(
            option, text, expected=f"a number such as {example}", example=example.split()[0]
        )
    return found


def _name_of(param: click.Parameter | None) -> str:
    return max(param.opts, key=len) if param is not None else "the value"
