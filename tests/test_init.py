"""dirac_ and sparse_: what they keep and what they refuse."""

import lamina
import numpy as np
import pytest
from lamina.nn import functional as F
from lamina.nn import init


@pytest.mark.parametrize("shape, groups", [((2, 2, 3), 1), ((4, 2, 3, 5), 2), ((3, 5, 1, 3, 3), 1)])
def test_dirac_hands_channels_on(shape, groups):
    weight = init.dirac_(lamina.empty(*shape), groups)
    conv = [F.conv1d, F.conv2d, F.conv3d][len(shape) - 3]
    x = lamina.randn(2, shape[1] * groups, *([7] * (len(shape) - 2)))
    y = conv(x, weight, padding=[k // 2 for k in shape[2:]], groups=groups).numpy()
    each = shape[0] // groups
    for g in range(groups):
        kept = min(each, shape[1])
        np.testing.assert_array_equal(
            y[:, g * each : g * each + kept], x.numpy()[:, g * shape[1] : g * shape[1] + kept]
        )
        assert not y[:, g * each + kept : (g + 1) * each].any()


def test_sparse():
    w = init.sparse_(lamina.empty(50, 8), 0.25, std=2.0).numpy()
    assert ((w == 0).sum(0) == 13).all() and 1 < w[w != 0].std() < 3


@pytest.mark.parametrize(
    "call", [lambda: init.dirac_(lamina.empty(2, 2)), lambda: init.dirac_(lamina.empty(3, 2, 1), 2),
             lambda: init.sparse_(lamina.empty(3), 0.5), lambda: init.sparse_(lamina.empty(3, 3), 1.5)]
)  # fmt: skip
def test_refusals(call):
    with pytest.raises(ValueError):
        call()


def test_underscored_activations_write_their_input():
    for name in ("relu", "relu6", "leaky_relu", "elu", "selu", "celu", "hardtanh"):
        x = lamina.tensor([-1.5, 0.25, 7.0])
        expected = getattr(F, name)(x)
        assert getattr(F, name + "_")(x) is x and lamina.equal(x, expected), name
