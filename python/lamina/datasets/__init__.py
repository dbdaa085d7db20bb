"""Real data: digits and a time series, and readers for IDX (MNIST, Fashion-MNIST) and CSV files."""

from .digits import digits
from .digits import split_rows as split
from .readers import csv, idx
from .series import elnino
from .tables import columns

__all__ = ["columns", "csv", "digits", "elnino", "idx", "split"]
