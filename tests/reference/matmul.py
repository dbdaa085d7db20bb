"""NumPy twins of matrix products."""

import numpy as np

from . import op


@op("matmul", lambda r: [(r(3, 4), r(4, 5))])
def matmul(a, b):
    return np.matmul(a, b)
