"""What lamina deliberately does not share with PyTorch's sample inputs, each with its reason."""

from __future__ import annotations

# Random results: shapes and dtypes are compared, values cannot be.
RANDOM = frozenset(
    "bernoulli dropout nn.functional.dropout nn.functional.dropout2d nn.functional.dropout3d nn.functional.alpha_dropout "
    "nn.functional.feature_alpha_dropout nn.functional.rrelu nn.functional.gumbel_softmax "
    "empty empty_like new_empty normal multinomial poisson rand rand_like randn randn_like randint randint_like "
    "uniform exponential geometric cauchy log_normal".split()
)

# Whole operations that are not compared: name -> why.
SKIPPED: dict[str, str] = {
    "as_strided:partial_views": "an import through DLPack does not carry the storage around a view",
}

# (operation, part of the error text or of the difference, why)
REFUSED: list[tuple[str, str, str]] = [
    ("var:unbiased", "argument 'dim'", "unbiased is given by keyword; a bool is no dim"),
    ("std:unbiased", "argument 'dim'", "unbiased is given by keyword; a bool is no dim"),
    ("var_mean:unbiased", "argument 'dim'", "unbiased is given by keyword; a bool is no dim"),
    ("std_mean:unbiased", "argument 'dim'", "unbiased is given by keyword; a bool is no dim"),
    ("narrow", "argument 'start'", "start is a number; use start.item()"),
    ("gather", "index must be int64 or int32", "an empty index of uint8 is still no index"),
    ("nn.functional.max_pool2d", "needs a floating dtype", "pooling of integers is not offered"),
    ("nn.functional.avg_pool2d", "needs a floating dtype", "pooling of integers is not offered"),
    ("baddbmm", "beta and alpha must be integers", "PyTorch cuts 0.6 to 0 here; lamina says so instead"),
    ("addmm", "beta and alpha must be integers", "PyTorch cuts 0.6 to 0 here; lamina says so instead"),
    ("addmv", "beta and alpha must be integers", "PyTorch cuts 0.6 to 0 here; lamina says so instead"),
    ("index_fill", "gradient 2", "PyTorch counts an index that appears twice twice, though it is filled once"),
    ("nn.functional.batch_norm", "needs (N, C, ...)", "an input without channels"),
    ("zero_", "a leaf tensor that requires grad", "the sample writes into a leaf"),
]

# Not equal yet: some of PyTorch's samples fail. The test expects that, and fails when one of them starts to pass.
OPEN = frozenset(
    """
    arange normal:in_place addbmm addr cholesky_inverse cholesky_solve linspace linspace:tensor_overload
    matrix_exp nn.functional.adaptive_avg_pool2d nn.functional.conv2d qr square einsum svd scatter bfloat16
    bool byte char double float half int long short new_full normal normal:number_mean norm:nuc
    nn.functional.embedding nn.functional.embedding_bag linalg.eigh linalg.lstsq linalg.lstsq:grad_oriented
    linalg.matrix_power linalg.qr linalg.slogdet linalg.pinv:singular linalg.svd linalg.tensorsolve
    """.split()
)
