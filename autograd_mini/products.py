"""A product of many numbers, of any size: what a float cannot hold after a million factors."""

import math
from typing import NamedTuple

from autograd_mini.number import number_text

__all__ = ["ONE", "Product", "power_of_ten"]


class Product(NamedTuple):
    """A product of floats that neither overflows nor underflows; in the range of floats it is theirs, bit for bit.

    As tuples, products compare by size: first one with more factors that are inf or nan, last one with more that
    are 0. Both orders stay when both sides are multiplied by the same factor, which is what ranking paths relies on.

    Attributes:
        non_finite: how many factors are inf or nan.
        zeros: how many factors are 0, as a negative number.
        exponent: the size of the product of the other factors is mantissa · 2**exponent.
        mantissa: from ½ to 1.
        sign: 1.0 or -1.0, or nan if a factor is nan.
    """

    non_finite: int
    zeros: int
    exponent: int
    mantissa: float
    sign: float

    def times(self, factor: float) -> "Product":
        """The product with one more factor."""
        sign = self.sign * (math.copysign(1.0, factor) if factor == factor else math.nan)
        if factor == 0.0:
            return Product(self.non_finite, self.zeros - 1, self.exponent, self.mantissa, sign)
        if not math.isfinite(factor):
            return Product(self.non_finite + 1, self.zeros, self.exponent, self.mantissa, sign)
        m, e = math.frexp(factor)
        mantissa, carried = math.frexp(self.mantissa * abs(m))
        return Product(self.non_finite, self.zeros, self.exponent + e + carried, mantissa, sign)

    def __float__(self) -> float:
        if self.non_finite:
            return math.nan if self.zeros else self.sign * math.inf
        if self.zeros:
            return 0.0 * self.sign
        try:
            return math.ldexp(self.sign * self.mantissa, self.exponent)
        except OverflowError:
            return self.sign * math.inf

    def __str__(self) -> str:
        number = float(self)
        is_beyond = not self.non_finite and not self.zeros and (math.isinf(number) or abs(number) < 2.0**-1022)
        if not is_beyond:
            return number_text(number)
        return "-" * (self.sign < 0.0) + power_of_ten(math.log10(self.mantissa) + self.exponent * math.log10(2.0))


def power_of_ten(exponent: float, digits: int = 6) -> str:
    """Write 10**exponent, which may be beyond the range of floats.

    Example:
        >>> power_of_ten(1000.5), power_of_ten(-999.00001, digits=2)
        ('3.16228e+1000', '1e-999')
    """
    whole, part = divmod(exponent, 1.0)
    text = number_text(10.0**part, digits)
    return f"1e{int(whole) + 1:+d}" if text == "10" else f"{text}e{int(whole):+d}"


ONE = Product(0, 0, 1, 0.5, 1.0)
