"""What a run that goes wrong says: the class of its warnings, and the error of a loss that is no number."""

from __future__ import annotations


class TrainingWarning(UserWarning):
    """One sentence about a training run that cannot work as it is written."""


class NaNLossError(ValueError, ArithmeticError):
    """The loss became NaN or infinite; the message names the first module whose output did."""
