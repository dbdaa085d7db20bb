"""Layers, losses, initialisers and gradient clipping; PyTorch is a second oracle where it is installed."""

import math

import lamina
import numpy as np
import pytest
from lamina import nn
from lamina.nn import init


@pytest.fixture(scope="module")
def torch():
    return pytest.importorskip("torch")


def rand(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def close(ours, theirs, tol=1e-5):
    np.testing.assert_allclose(ours.detach().numpy(), theirs.detach().numpy(), rtol=tol, atol=tol)


# (layer, constructor, input shape)
LAYERS = [
    ("Linear", lambda n: n.Linear(5, 3), (4, 5)),
    ("Linear", lambda n: n.Linear(5, 3, bias=False), (2, 3, 5)),
    ("Linear", lambda n: n.Linear(5, 3), (5,)),
    ("Conv2d", lambda n: n.Conv2d(3, 4, 3), (2, 3, 7, 6)),
    ("Conv2d", lambda n: n.Conv2d(4, 6, (3, 2), stride=2, padding=(1, 2), dilation=(2, 1), groups=2), (2, 4, 9, 8)),
    ("Conv2d", lambda n: n.Conv2d(4, 4, 3, padding="same", groups=4, bias=False), (2, 4, 5, 5)),
    ("Conv2d", lambda n: n.Conv2d(2, 2, 3, padding="valid"), (1, 2, 5, 5)),
    ("MaxPool2d", lambda n: n.MaxPool2d(2), (2, 3, 7, 6)),
    ("MaxPool2d", lambda n: n.MaxPool2d(3, stride=2, padding=1, dilation=1, ceil_mode=True), (2, 3, 8, 6)),
    ("AvgPool2d", lambda n: n.AvgPool2d(2), (2, 3, 7, 6)),
    ("AvgPool2d", lambda n: n.AvgPool2d(3, stride=2, padding=1, ceil_mode=True, count_include_pad=False), (2, 3, 8, 6)),
    ("AdaptiveAvgPool2d", lambda n: n.AdaptiveAvgPool2d((3, 2)), (2, 3, 7, 5)),
    ("AdaptiveAvgPool2d", lambda n: n.AdaptiveAvgPool2d((None, 2)), (2, 3, 7, 5)),
    ("BatchNorm1d", lambda n: n.BatchNorm1d(4), (6, 4)),
    ("BatchNorm1d", lambda n: n.BatchNorm1d(4, momentum=None), (6, 4, 3)),
    ("BatchNorm2d", lambda n: n.BatchNorm2d(3, eps=1e-3, momentum=0.3), (4, 3, 5, 2)),
    ("BatchNorm2d", lambda n: n.BatchNorm2d(3, affine=False, track_running_stats=False), (4, 3, 5, 2)),
    ("BatchNorm2d", lambda n: n.BatchNorm2d(3, bias=False), (4, 3, 5, 2)),
    ("LayerNorm", lambda n: n.LayerNorm(6), (4, 5, 6)),
    ("LayerNorm", lambda n: n.LayerNorm((5, 6), eps=1e-3, bias=False), (4, 5, 6)),
    ("LayerNorm", lambda n: n.LayerNorm([5, 6], elementwise_affine=False), (4, 5, 6)),
    ("Flatten", lambda n: n.Flatten(), (2, 3, 4)),
    ("Flatten", lambda n: n.Flatten(0, 1), (2, 3, 4)),
    ("Unflatten", lambda n: n.Unflatten(1, (2, 6)), (3, 12, 2)),
    ("Unflatten", lambda n: n.Unflatten(-1, (2, -1)), (3, 12)),
    ("Identity", lambda n: n.Identity(), (2, 3)),
    ("Dropout", lambda n: n.Dropout(0.0), (2, 3)),
    ("ReLU", lambda n: n.ReLU(), (4, 5)),
    ("ReLU6", lambda n: n.ReLU6(), (4, 5)),
    ("LeakyReLU", lambda n: n.LeakyReLU(0.2), (4, 5)),
    ("ELU", lambda n: n.ELU(1.5), (4, 5)),
    ("SELU", lambda n: n.SELU(), (4, 5)),
    ("GELU", lambda n: n.GELU(), (4, 5)),
    ("GELU", lambda n: n.GELU(approximate="tanh"), (4, 5)),
    ("SiLU", lambda n: n.SiLU(), (4, 5)),
    ("Mish", lambda n: n.Mish(), (4, 5)),
    ("Hardtanh", lambda n: n.Hardtanh(-0.5, 0.7), (4, 5)),
    ("Hardsigmoid", lambda n: n.Hardsigmoid(), (4, 5)),
    ("Hardswish", lambda n: n.Hardswish(), (4, 5)),
    ("Sigmoid", lambda n: n.Sigmoid(), (4, 5)),
    ("Tanh", lambda n: n.Tanh(), (4, 5)),
    ("Softplus", lambda n: n.Softplus(2.0, 3.0), (4, 5)),
    ("LogSigmoid", lambda n: n.LogSigmoid(), (4, 5)),
    ("CELU", lambda n: n.CELU(1.5), (4, 5)),
    ("Softsign", lambda n: n.Softsign(), (4, 5)),
    ("Threshold", lambda n: n.Threshold(0.1, 20), (4, 5)),
    ("Tanhshrink", lambda n: n.Tanhshrink(), (4, 5)),
    ("Softshrink", lambda n: n.Softshrink(0.3), (4, 5)),
    ("Hardshrink", lambda n: n.Hardshrink(0.3), (4, 5)),
    ("GLU", lambda n: n.GLU(1), (4, 6)),
    ("RReLU", lambda n: n.RReLU(0.2, 0.4).eval(), (4, 5)),
    ("PReLU", lambda n: n.PReLU(), (4, 5)),
    ("PReLU", lambda n: n.PReLU(3, init=0.1), (2, 3, 4, 5)),
    ("Softmin", lambda n: n.Softmin(dim=1), (4, 5)),
    ("Softmax2d", lambda n: n.Softmax2d(), (2, 3, 4, 5)),
    ("Softmax", lambda n: n.Softmax(dim=1), (4, 5)),
    ("LogSoftmax", lambda n: n.LogSoftmax(dim=-1), (4, 5)),
]


@pytest.mark.parametrize(
    "make,shape", [(m, s) for _, m, s in LAYERS], ids=[f"{n}{i}" for i, (n, _, _) in enumerate(LAYERS)]
)
def test_layer_equals_torch(torch, make, shape):
    ours, theirs = make(nn), make(torch.nn)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    for key, value in theirs.state_dict().items():
        assert tuple(ours.state_dict()[key].shape) == tuple(value.shape), key
    ours.load_state_dict({k: lamina.from_numpy(v.numpy().copy()) for k, v in theirs.state_dict().items()})
    data = rand(*shape) * 2
    x, tx = lamina.tensor(data, requires_grad=True), torch.tensor(data, requires_grad=True)
    y, ty = ours(x), theirs(tx)
    assert tuple(y.shape) == tuple(ty.shape)
    close(y, ty)
    weight = rand(*ty.shape, seed=1)
    (y * lamina.tensor(weight)).sum().backward()
    (ty * torch.tensor(weight)).sum().backward()
    close(x.grad, tx.grad, 1e-4)
    for (name, p), (_, tp) in zip(ours.named_parameters(), theirs.named_parameters(), strict=True):
        assert p.grad is not None, name
        close(p.grad, tp.grad, 1e-4)
    for (_, b), (_, tb) in zip(ours.named_buffers(), theirs.named_buffers(), strict=True):
        close(b, tb)
    close(ours.eval()(x), theirs.eval()(tx))


@pytest.mark.parametrize("make", [m for _, m, _ in LAYERS], ids=[f"{n}{i}" for i, (n, _, _) in enumerate(LAYERS)])
def test_layer_prints_as_torch(torch, make):
    assert repr(make(nn)) == repr(make(torch.nn))


@pytest.mark.parametrize("mode", ["zeros", "reflect", "replicate", "circular"])
@pytest.mark.parametrize("padding", [(1, 2), "same"])
def test_conv_padding_modes(torch, mode, padding):
    args = dict(kernel_size=(3, 5), padding=padding, padding_mode=mode)
    ours, theirs = nn.Conv2d(2, 3, **args), torch.nn.Conv2d(2, 3, **args)
    ours.load_state_dict({k: lamina.from_numpy(v.numpy().copy()) for k, v in theirs.state_dict().items()})
    data = rand(2, 2, 7, 8)
    close(ours(lamina.tensor(data)), theirs(torch.tensor(data)))


@pytest.mark.parametrize(
    "call",
    [
        lambda: nn.Conv2d(3, 4, 3, groups=2),
        lambda: nn.Conv2d(3, 4, 3, groups=0),
        lambda: nn.Conv2d(3, 4, 3, padding="full"),
        lambda: nn.Conv2d(3, 4, 3, padding="same", stride=2),
        lambda: nn.Conv2d(3, 4, 3, padding_mode="mirror"),
        lambda: nn.Dropout(1.5),
        lambda: nn.Embedding(3, 2, padding_idx=3),
        lambda: nn.MSELoss(reduction="avg"),
        lambda: nn.BatchNorm1d(3)(lamina.zeros(2, 3, 4, 5)),
        lambda: nn.BatchNorm2d(3)(lamina.zeros(2, 3)),
        lambda: nn.Softmax("rows")(lamina.zeros(2)),
    ],
)
def test_bad_arguments(call):
    with pytest.raises((ValueError, TypeError)) as caught:
        call()
    assert len(str(caught.value)) > 20


def test_inplace_activations():
    for layer in (
        nn.ReLU,
        nn.ReLU6,
        nn.LeakyReLU,
        nn.ELU,
        nn.SELU,
        nn.SiLU,
        nn.Mish,
        nn.Hardtanh,
        nn.Hardsigmoid,
        nn.Hardswish,
        nn.CELU,
    ):
        data = rand(3, 4)
        x = lamina.tensor(data)
        expected = layer()(lamina.tensor(data)).tolist()
        assert layer(inplace=True)(x) is x and x.tolist() == expected, layer


def test_functional_inplace():
    f = nn.functional
    data = rand(3, 4)
    for name in (
        "relu",
        "relu6",
        "leaky_relu",
        "elu",
        "selu",
        "silu",
        "mish",
        "hardtanh",
        "hardsigmoid",
        "hardswish",
        "celu",
    ):
        x = lamina.tensor(data)
        expected = getattr(f, name)(lamina.tensor(data)).tolist()
        assert getattr(f, name)(x, inplace=True) is x and x.tolist() == expected, name
    x = lamina.ones(100)
    assert f.dropout(x, 0.5, True, True) is x and set(x.tolist()) == {0.0, 2.0}
    assert f.dropout(x, 0.5, False).tolist() == x.tolist()


def test_embedding(torch):
    ours, theirs = nn.Embedding(7, 3, padding_idx=-2), torch.nn.Embedding(7, 3, padding_idx=-2)
    assert ours.padding_idx == theirs.padding_idx == 5 and ours.weight.tolist()[5] == [0.0, 0.0, 0.0]
    ours.load_state_dict({k: lamina.from_numpy(v.numpy().copy()) for k, v in theirs.state_dict().items()})
    index = [[0, 5, 6], [5, 1, 1]]
    y, ty = ours(lamina.tensor(index)), theirs(torch.tensor(index))
    close(y, ty)
    y.square().sum().backward()
    ty.square().sum().backward()
    close(ours.weight.grad, theirs.weight.grad)
    assert ours.weight.grad.tolist()[5] == [0.0, 0.0, 0.0] and repr(ours) == repr(theirs)


def test_dropout_statistics():
    lamina.manual_seed(0)
    x = lamina.ones(20000)
    y = nn.Dropout(0.3)(x)
    kept = (y != 0).sum().item() / 20000
    assert abs(kept - 0.7) < 0.02 and abs(y.max().item() - 1 / 0.7) < 1e-6
    assert nn.Dropout(1.0)(x).abs().sum().item() == 0
    inplace = nn.Dropout(0.5, inplace=True)
    z = lamina.ones(10)
    assert inplace(z) is z
    channels = nn.Dropout2d(0.5)(lamina.ones(4, 50, 3, 3))
    assert set(channels.sum((2, 3)).flatten().tolist()) == {0.0, 18.0}
    assert nn.Dropout2d(0.5).eval()(x) is x


# (loss, input, target)
P = 1 / (1 + np.exp(-rand(6, 4, seed=3)))
LOSSES = [
    ("CrossEntropyLoss", {}, rand(6, 4), np.array([0, 1, 2, 3, 1, 1])),
    (
        "CrossEntropyLoss",
        {"weight": True, "label_smoothing": 0.2, "ignore_index": 1},
        rand(6, 4),
        np.array([0, 1, 2, 3, 1, 1]),
    ),
    ("CrossEntropyLoss", {"weight": True}, rand(6, 4), (P / P.sum(1, keepdims=True)).astype(np.float32)),
    ("CrossEntropyLoss", {}, rand(2, 4, 3), np.array([[0, 1, 2], [3, 1, 1]])),
    ("NLLLoss", {"weight": True}, rand(6, 4), np.array([0, 1, 2, 3, 1, 1])),
    ("MSELoss", {}, rand(6, 4), rand(6, 4, seed=2)),
    ("L1Loss", {}, rand(6, 4), rand(6, 4, seed=2)),
    ("SmoothL1Loss", {"beta": 0.5}, rand(6, 4), rand(6, 4, seed=2)),
    ("BCELoss", {"weight": True}, P.astype(np.float32), (rand(6, 4, seed=2) > 0).astype(np.float32)),
    (
        "BCEWithLogitsLoss",
        {"pos_weight": True, "weight": True},
        rand(6, 4),
        (rand(6, 4, seed=2) > 0).astype(np.float32),
    ),
]


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("name,args,x,y", LOSSES, ids=[f"{n}{i}" for i, (n, *_) in enumerate(LOSSES)])
def test_loss_equals_torch(torch, name, args, x, y, reduction):
    weight = np.array([0.5, 1.0, 2.0, 0.25], dtype=np.float32)

    def build(module, tensor):
        return getattr(module, name)(
            **{k: tensor(weight) if v is True else v for k, v in args.items()}, reduction=reduction
        )

    ours, theirs = build(nn, lamina.tensor), build(torch.nn, torch.tensor)
    a, b = lamina.tensor(x, requires_grad=True), torch.tensor(x, requires_grad=True)
    loss, expected = ours(a, lamina.tensor(y)), theirs(b, torch.tensor(y))
    close(loss, expected)
    loss.sum().backward()
    expected.sum().backward()
    close(a.grad, b.grad)
    assert list(ours.state_dict()) == list(theirs.state_dict())


# -- initialisers -----------------------------------------------------------------------------------------------------
def test_default_initialisation_has_torchs_bounds():
    lamina.manual_seed(1)
    for layer, fan_in in ((nn.Linear(400, 300), 400), (nn.Conv2d(16, 200, 5), 400)):
        bound = 1 / math.sqrt(fan_in)
        for p in layer.parameters():
            high, low = p.max().item(), p.min().item()
            assert 0.95 * bound < high <= bound and -bound <= low < -0.95 * bound
        assert abs(layer.weight.mean().item()) < 0.01 * bound
        assert abs(layer.weight.std().item() - bound / math.sqrt(3)) < 0.01 * bound


def test_initialisation_is_seeded():
    lamina.manual_seed(7)
    a = nn.Linear(5, 5).weight.tolist()
    lamina.manual_seed(7)
    assert nn.Linear(5, 5).weight.tolist() == a
    g = lamina.Generator()
    x, y = lamina.empty(4, 4), lamina.empty(4, 4)
    init.normal_(x, generator=g.manual_seed(3))
    init.normal_(y, generator=g.manual_seed(3))
    assert x.tolist() == y.tolist()


@pytest.mark.parametrize("mode,fan", [("fan_in", 60 * 9), ("fan_out", 80 * 9)])
def test_kaiming_and_xavier_spread(mode, fan):
    w = nn.Parameter(lamina.empty(80, 60, 3, 3))
    assert init.kaiming_normal_(w, mode=mode, nonlinearity="relu") is w and w.requires_grad and w.is_leaf
    assert abs(w.std().item() / math.sqrt(2 / fan) - 1) < 0.03
    init.kaiming_uniform_(w, a=1.0, mode=mode)
    assert abs(w.abs().max().item() / math.sqrt(3 / fan) - 1) < 0.01
    init.xavier_normal_(w, gain=2.0)
    assert abs(w.std().item() / (2 * math.sqrt(2 / (60 * 9 + 80 * 9))) - 1) < 0.03
    init.xavier_uniform_(w)
    assert abs(w.abs().max().item() / math.sqrt(6 / (60 * 9 + 80 * 9)) - 1) < 0.01


def test_other_initialisers():
    w = lamina.empty(30, 20)
    init.trunc_normal_(w, mean=1.0, std=2.0, a=0.0, b=1.5)
    assert w.min().item() >= 0.0 and w.max().item() <= 1.5
    init.trunc_normal_(w, std=1.0, a=50.0, b=51.0)  # nearly no mass inside: still ends
    assert w.min().item() >= 50.0 and w.max().item() <= 51.0
    assert set(init.constant_(w, 3.0).flatten().tolist()) == {3.0}
    assert init.eye_(lamina.empty(2, 3)).tolist() == [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]
    for shape in ((30, 20), (20, 30), (8, 2, 3)):
        q = init.orthogonal_(lamina.empty(*shape), gain=2.0).reshape(shape[0], -1).numpy().astype(np.float64)
        product = q @ q.T if q.shape[0] <= q.shape[1] else q.T @ q
        np.testing.assert_allclose(product, 4 * np.eye(len(product)), atol=1e-5)
    for bad in (
        lambda: init.xavier_normal_(lamina.empty(3)),
        lambda: init.calculate_gain("cube"),
        lambda: init.eye_(lamina.empty(3)),
    ):
        with pytest.raises(ValueError):
            bad()


def test_gains(torch):
    for name in ("linear", "conv2d", "sigmoid", "tanh", "relu", "selu", "leaky_relu"):
        assert init.calculate_gain(name) == pytest.approx(torch.nn.init.calculate_gain(name))
    assert init.calculate_gain("leaky_relu", 0.3) == pytest.approx(torch.nn.init.calculate_gain("leaky_relu", 0.3))


# -- clipping ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("norm_type", [2.0, 1.0, math.inf])
@pytest.mark.parametrize("max_norm", [0.5, 1e3])
def test_clip_grad_norm(torch, norm_type, max_norm):
    data = [rand(3, 4), rand(5, seed=1)]

    def build(module, tensor):
        ps = [module.nn.Parameter(tensor(d)) for d in data] + [module.nn.Parameter(tensor(data[0]))]
        for p, d in zip(ps, data, strict=False):
            p.grad = tensor(d * 3)
        return ps

    ours, theirs = build(lamina, lamina.tensor), build(torch, torch.tensor)
    total = nn.utils.clip_grad_norm_(ours, max_norm, norm_type)
    close(total, torch.nn.utils.clip_grad_norm_(theirs, max_norm, norm_type))
    for p, tp in zip(ours[:2], theirs[:2], strict=True):
        close(p.grad, tp.grad)


def test_clip_corner_cases():
    p = nn.Parameter(lamina.zeros(2))
    assert nn.utils.clip_grad_norm_(p, 1.0).item() == 0.0
    p.grad = lamina.tensor([math.inf, 1.0])
    with pytest.raises(RuntimeError, match="norm"):
        nn.utils.clip_grad_norm_([p], 1.0, error_if_nonfinite=True)
    p.grad = lamina.tensor([-3.0, 0.5])
    nn.utils.clip_grad_value_(p, 1.0)
    assert p.grad.tolist() == [-1.0, 0.5]


def test_parameters_as_a_vector():
    layer = nn.Linear(2, 1)
    vector = nn.utils.parameters_to_vector(layer.parameters())
    assert vector.tolist() == [*layer.weight.tolist()[0], layer.bias.tolist()[0]]
    nn.utils.vector_to_parameters(lamina.tensor([1.0, 2.0, 3.0]), layer.parameters())
    assert layer.weight.tolist() == [[1.0, 2.0]] and layer.bias.tolist() == [3.0]
    with pytest.raises(ValueError):
        nn.utils.vector_to_parameters(lamina.ones(4), layer.parameters())
