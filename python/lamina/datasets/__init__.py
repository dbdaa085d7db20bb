"""Real data: the bundled digits, and readers for IDX (MNIST, Fashion-MNIST) and CSV files."""

from .digits import digits
from .digits import split_rows as split
from .readers import csv, idx

__all__ = ["csv", "digits", "idx", "split"]
