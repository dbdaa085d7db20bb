"""What lamina deliberately does not share with PyTorch's sample inputs, each with its reason."""

from __future__ import annotations

# Random results: shapes and dtypes are compared, values cannot be.
RANDOM = frozenset(
    "bernoulli dropout nn.functional.dropout nn.functional.dropout2d nn.functional.dropout3d nn.functional.alpha_dropout "
    "nn.functional.feature_alpha_dropout nn.functional.rrelu nn.functional.gumbel_softmax "
    "empty empty_like new_empty normal multinomial poisson rand rand_like randn randn_like randint randint_like "
    "uniform exponential geometric cauchy log_normal nn.functional.fractional_max_pool2d "
    "nn.functional.fractional_max_pool3d".split()
)

# Whole operations that are not compared: name -> why.
SKIPPED: dict[str, str] = {
    **dict.fromkeys(
        ("fft.hfft", "fft.hfft2", "fft.hfftn", "fft.irfft", "fft.irfft2", "fft.irfftn"),
        "Fourier transforms of real input need complex numbers; the error says so",
    ),
    "as_strided:partial_views": "an import through DLPack does not carry the storage around a view",
}

# Results that name places, and the position of `dim` behind the input: which of equal elements is named is open in
# PyTorch, so the elements are compared.
PLACES = {"kthvalue": (1, 1), "topk": (1, 1), "mode": (1, 0), "sort": (1, 0), "argsort": (0, 0)}
SIGNS = [
    ("svd", "result 0"),
    ("svd", "result 2"),
    ("linalg.svd", "result 0"),
    ("linalg.svd", "result 2"),
    ("linalg.eigh", "result 1"),
]
# Operations whose functions take a number where PyTorch wants a tensor: it becomes a 0-d tensor that yields in promotion.
TAKEN = frozenset(
    "atan2 clamp_max clamp_min copysign eq fmax fmin fmod gcd ge gt heaviside hypot lcm ldexp le logaddexp logical_and "
    "logical_or logical_xor lt maximum minimum ne float_power".split()
)
# One rule for every `out=`: the result is computed first and then written, so it may share memory with an operand, and
# have any dtype that the result can be cast to. Here PyTorch is stricter.
OUT_TAKEN = frozenset(("aminmax", "cat", "gather", "multinomial", "take"))

# (operation, part of the error text or of the difference, after 'sample N dtype: ', why)
REFUSED: list[tuple[str, str, str]] = [
    *(
        (
            f"nn.functional.max_unpool{d}d",
            "gradient 0",
            "of values that name one place the last stays; the others' gradient is 0",
        )
        for d in (1, 2, 3)
    ),
    ("baddbmm", "beta and alpha must be integers", "PyTorch cuts 0.6 to 0 here; lamina says so instead"),
    ("addmv", "beta and alpha must be integers", "PyTorch cuts 0.6 to 0 here; lamina says so instead"),
    ("addbmm", "beta and alpha must be integers", "PyTorch cuts 0.6 to 0 here; lamina says so instead"),
    ("square", "bool but PyTorch has int64", "the square of a bool is that bool"),
    ("nextafter", "no gradient", "a step to the next number has no derivative; PyTorch says 1"),
    ("linalg.matrix_power", "no gradient", "the power 0 is the identity, a constant"),
    ("linalg.slogdet", "no gradient", "the determinant of an empty matrix is 1, a constant"),
    ("linalg.lstsq", "no gradient", "PyTorch marks residuals that it does not compute (none for M <= N)"),
    ("cov", "float64: ", "PyTorch adds float32 weights in float32, beside a float64 input, too"),
    (
        "nn.functional.multi_head_attention_forward",
        "float32: result",
        "scores of some hundreds: their last bits move the weights by 3e-5 in either library; float64 agrees",
    ),
    (
        "nn.functional.ctc_loss",
        "gradient 0",
        "PyTorch's gradient is that behind a log_softmax; lamina's is the derivative",
    ),
    ("cholesky_inverse", "gradient 0", "PyTorch's gradient names the triangle that is not read"),
    ("cholesky_solve", "gradient 1", "PyTorch's gradient names the triangle that is not read"),
    *((op, where, "the signs of singular and eigenvectors are open") for op, where in SIGNS),
]

# Not equal yet: some of PyTorch's samples fail. The test expects that, and fails when one of them starts to pass.
OPEN: frozenset[str] = frozenset()

# Modules of PyTorch's module_db: (name, part of the difference, why)
MODULES: list[tuple[str, str, str]] = [
    ("FractionalMaxPool3d", "_random_samples must be (1, ", "samples drawn for two images are given with one"),
]
