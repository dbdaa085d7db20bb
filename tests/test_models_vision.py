"""Image models: torchvision's names and sizes, equality with PyTorch twins, training, errors."""

from __future__ import annotations

import dataclasses
import math
from types import SimpleNamespace

import lamina
import numpy as np
import pytest
from conftest import needs_torch, torch
from harness import to_numpy
from lamina import models
from models_dump import GENERATIVE, IMAGE

F = lamina.nn.functional
TOLERANCE = {"float32": 1e-5, "float64": 1e-10}


def twins():
    import vision_twins

    return vision_twins


def count(model):
    return sum(p.numel() for p in model.parameters())


def shapes(state):
    return [(k, tuple(v.shape)) for k, v in state.items()]


# -- names and sizes -------------------------------------------------------------------------------------------------
# model, parameters, entries of the state dict, some of torchvision's keys and shapes
SIZES = [
    ("resnet18", 11_689_512, 122, {"conv1.weight": (64, 3, 7, 7), "layer2.0.downsample.0.weight": (128, 64, 1, 1), "layer4.1.bn2.running_var": (512,), "fc.weight": (1000, 512)}),
    ("resnet34", 21_797_672, 218, {"layer3.5.conv2.weight": (256, 256, 3, 3), "layer1.2.bn1.num_batches_tracked": (), "fc.bias": (1000,)}),
    ("resnet50", 25_557_032, 320, {"layer1.0.downsample.0.weight": (256, 64, 1, 1), "layer4.2.conv3.weight": (2048, 512, 1, 1), "fc.weight": (1000, 2048)}),
    ("mobilenet_v2", 3_504_872, 314, {"features.0.0.weight": (32, 3, 3, 3), "features.1.conv.0.0.weight": (32, 1, 3, 3), "features.1.conv.1.weight": (16, 32, 1, 1), "features.17.conv.2.weight": (320, 960, 1, 1), "features.18.1.running_mean": (1280,), "classifier.1.weight": (1000, 1280)}),
    ("efficientnet_b0", 5_288_548, 360, {"features.1.0.block.1.fc1.weight": (8, 32, 1, 1), "features.3.0.block.1.0.weight": (144, 1, 5, 5), "features.6.3.block.2.fc2.bias": (1152,), "features.7.0.block.3.1.weight": (320,), "features.8.0.weight": (1280, 320, 1, 1), "classifier.1.bias": (1000,)}),
    ("vgg16", 138_357_544, 32, {"features.0.weight": (64, 3, 3, 3), "features.28.weight": (512, 512, 3, 3), "classifier.0.weight": (4096, 25088), "classifier.6.bias": (1000,)}),
    ("vit_b_16", 86_567_656, 152, {"class_token": (1, 1, 768), "conv_proj.weight": (768, 3, 16, 16), "encoder.pos_embedding": (1, 197, 768), "encoder.layers.encoder_layer_11.self_attention.in_proj_weight": (2304, 768), "encoder.layers.encoder_layer_0.self_attention.out_proj.bias": (768,), "encoder.layers.encoder_layer_3.mlp.3.weight": (768, 3072), "encoder.ln.weight": (768,), "heads.head.weight": (1000, 768)}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "parameters", "entries", "keys"), SIZES, ids=[row[0] for row in SIZES])
def test_torchvision_sizes(name, parameters, entries, keys):
    model = getattr(models, name)()
    state = model.state_dict()
    assert count(model) == parameters
    assert len(state) == entries
    assert {k: tuple(state[k].shape) for k in keys} == keys


def meta_twin(name):
    t = twins()
    stages = {"11": (1, 1, 2, 2, 2), "13": (2, 2, 2, 2, 2), "16": (2, 2, 3, 3, 3), "19": (2, 2, 4, 4, 4)}
    makers = {
        "resnet18": lambda: t.ResNet(t.Basic, (2, 2, 2, 2)),
        "resnet34": lambda: t.ResNet(t.Basic, (3, 4, 6, 3)),
        "resnet50": lambda: t.ResNet(t.Bottle, (3, 4, 6, 3)),
        "mobilenet_v2": t.MobileNetV2,
        "efficientnet_b0": t.EfficientNet,
        "vit_b_16": t.ViT,
    }
    with torch.device("meta"):
        if name in makers:
            return makers[name]()
        depth, norm = name[3:5], name.endswith("bn")
        return t.VGG(stages[depth], norm, width=8, hidden=16)


VGGS = [f"vgg{depth}{norm}" for depth in (11, 13, 16, 19) for norm in ("", "_bn")]


@needs_torch
@pytest.mark.parametrize("name", ["resnet18", "resnet34", "resnet50", "mobilenet_v2", "efficientnet_b0", *VGGS])
def test_every_key_in_order(name):
    small = {"batch_norm": name.endswith("bn"), "width": 8, "hidden": 16} if name.startswith("vgg") else {}
    ours = getattr(models, name.removesuffix("_bn"))(**small)
    assert shapes(ours.state_dict()) == shapes(meta_twin(name).state_dict())


@needs_torch
@pytest.mark.parametrize(
    ("depth", "parameters"), [(11, 132_863_336), (13, 133_047_848), (16, 138_357_544), (19, 143_667_240)]
)
@pytest.mark.parametrize("norm", [False, True])
def test_vgg_counts(depth, parameters, norm):
    """Without making the nets: features of the true width and the formula of the linear layers."""
    net = getattr(models, f"vgg{depth}")(norm, hidden=1, pool=1, classes=1)
    linear = 25088 * 4096 + 4096 + 4096 * 4096 + 4096 + 4096 * 1000 + 1000
    channels = sum(m.out_channels for m in net.features if isinstance(m, lamina.nn.Conv2d))
    assert count(net.features) + linear == parameters + (2 * channels if norm else 0)


@needs_torch
def test_vit_keys_in_order():
    sizes = {"size": 32, "patch": 8, "width": 24, "layers": 12, "heads": 3, "hidden": 48}
    assert shapes(models.ViT(**sizes).state_dict()) == shapes(twins().ViT(**sizes).state_dict())


def test_keys_of_saved_files_stay():
    """What `lamina train` saved before is still read."""
    keys = ["body.0.weight", "body.0.bias", "body.3.weight", "body.3.bias", "head.weight", "head.bias"]
    assert list(models.MLP(models.MLPConfig()).state_dict()) == keys
    names = {k.rsplit(".", 1)[0] for k in models.CNN(models.CNNConfig()).state_dict()}
    blocks = {f"stage{s}.{i}.{part}" for s in (1, 2) for i in (0, 1) for part in ("conv", "norm")}
    assert names == blocks | {"head"}


# -- equality with PyTorch -------------------------------------------------------------------------------------------
def pairs():
    """name: (lamina's model, PyTorch's twin, shape of the images, classes)."""
    t = twins()
    free = {"dropout": 0.0}
    mobile = ((1, 8, 1, 1), (6, 16, 2, 2), (6, 24, 2, 2))
    efficient = ((1, 3, 1, 8, 1), (6, 3, 2, 16, 2), (6, 5, 2, 24, 2))
    vit = {"size": 8, "patch": 4, "channels": 3, "classes": 5, "width": 12, "layers": 2, "heads": 3, "hidden": 20}
    mlp, cnn = models.MLP(inputs=48, hidden=(16, 9), classes=5, dropout=0.0), models.LeNet(channels=3, size=16)
    return {
        "resnet basic": (models.ResNet(layers=(2, 1), width=8, classes=5), t.ResNet(t.Basic, (2, 1), 8, 5), (6, 3, 17, 16)),
        "resnet bottleneck": (
            models.ResNet(block="bottleneck", layers=(1, 2), width=4, classes=5, stem="small", channels=2),
            t.ResNet(t.Bottle, (1, 2), 4, 5, 2, True),
            (6, 2, 8, 9),
        ),
        "mobilenet": (
            models.MobileNetV2(stages=mobile, width_mult=0.5, classes=5, last=32, **free),
            t.MobileNetV2(0.5, 5, mobile, 32),
            (6, 3, 16, 16),
        ),
        "efficientnet": (
            models.EfficientNet(stages=efficient, width_mult=0.5, classes=5, stochastic_depth=0.0, **free),
            t.EfficientNet(0.5, 5, efficient),
            (6, 3, 16, 16),
        ),
        "vgg": (
            models.VGG(stages=(1, 2), batch_norm=True, width=8, hidden=12, pool=3, classes=5, **free),
            t.VGG((1, 2), True, 8, 12, 3, 5),
            (6, 3, 9, 8),
        ),
        "vit": (models.ViT(**vit), t.ViT(**vit), (6, 3, 8, 8)),
        "mlp": (mlp, SimpleNamespace(body=t.plain(mlp.body), head=t.plain(mlp.head)), (6, 3, 4, 4)),
        "lenet": (cnn, SimpleNamespace(features=t.plain(cnn.features), classifier=t.plain(cnn.classifier)), (6, 3, 16, 16)),
        "unet": (models.UNet(channels=2, classes=5, width=4, depth=2), t.UNet(2, 5, 4, 2), (3, 2, 11, 9)),
    }  # fmt: skip


def joined(twin):
    """Two parts named as in the model, one after the other."""
    if not isinstance(twin, SimpleNamespace):
        return twin
    first, second = vars(twin)

    class Two(torch.nn.Module):
        def __init__(self):
            super().__init__()
            for name, part in vars(twin).items():
                setattr(self, name, part)

        def forward(self, x):
            x = getattr(self, first)(x.flatten(1) if first == "body" else x)
            return getattr(self, second)(x.flatten(1))

    return Two()


def close(name, got, expected, tolerance):
    got, expected = to_numpy(got), expected.detach().numpy()
    assert got.shape == expected.shape
    scale = max(1.0, float(np.abs(expected).max(initial=0)))
    worst = float(np.abs(got - expected).max(initial=0)) / scale
    assert worst <= tolerance, f"{name}: off by {worst:.3g}"


NAMES = ["resnet basic", "resnet bottleneck", "mobilenet", "efficientnet", "vgg", "vit", "mlp", "lenet", "unet"]


@needs_torch
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", NAMES)
def test_model_is_its_twin(name, dtype):
    ours, theirs, shape = pairs()[name]
    theirs = joined(theirs)
    for module in theirs.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    ours, theirs = ours.to(getattr(lamina, dtype)), twins().spread(theirs.to(getattr(torch, dtype)), 1)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    ours.load_state_dict({k: lamina.tensor(v.numpy()) for k, v in theirs.state_dict().items()})
    rng = np.random.default_rng(4)
    x = rng.standard_normal(shape).astype(dtype)
    y = rng.integers(0, 5, (shape[0], *shape[2:]) if name == "unet" else shape[0])
    for mode in (False, True):
        got, expected = ours.train(mode)(lamina.tensor(x)), theirs.train(mode)(torch.tensor(x))
        close(f"output, training={mode}", got, expected, TOLERANCE[dtype])
    loss = ours.training_loss(lamina.tensor(x), lamina.tensor(y))
    other = torch.nn.functional.cross_entropy(theirs(torch.tensor(x)), torch.tensor(y))
    close("loss", loss, other, TOLERANCE[dtype])
    loss.backward()
    other.backward()
    for (key, p), q in zip(ours.named_parameters(), theirs.parameters(), strict=True):
        close(f"gradient of {key}", p.grad, q.grad, TOLERANCE[dtype])
    for key, value in theirs.named_buffers():
        close(key, ours.state_dict()[key], value, TOLERANCE[dtype])


# -- training --------------------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def digits():
    x, y = lamina.datasets.digits()
    return x[:640] * 2 - 1, y[:640]


@pytest.mark.parametrize("name", [name for name in IMAGE if name != "unet"])
def test_training_learns_digits(name, digits):
    lamina.manual_seed(1)
    model = IMAGE[name]()
    before = model.evaluate(digits)
    history = model.fit(digits, epochs=6, lr=4e-3, progress=False)
    after = model.evaluate(digits)
    assert history["loss"][-1] < 0.7 * history["loss"][0]
    assert after["loss"] < 0.7 * before["loss"]
    assert after["accuracy"] > max(0.5, before["accuracy"])
    found = model.predict(digits[0])
    assert found.shape == (640,)
    assert float((found == digits[1]).float().mean().item()) == pytest.approx(after["accuracy"])


@pytest.mark.parametrize("name", [*IMAGE, "vae", "vae conv", "autoencoder"])
def test_rows_alone_have_the_same_bits(name, digits):
    model = {**GENERATIVE, **IMAGE}[name]()
    x = (digits[0][:7] + 1) / 2
    model(x)  # moves running statistics
    whole = model.eval()(x)
    whole = whole[0] if isinstance(whole, tuple) else whole
    for i in (0, 3, 6):
        alone = model(x[i : i + 1])
        alone = alone[0] if isinstance(alone, tuple) else alone
        assert to_numpy(alone.detach()).tobytes() == to_numpy(whole[i : i + 1].detach()).tobytes()


@needs_torch
def test_a_saved_pytorch_net_is_loaded(tmp_path):
    theirs = twins().ResNet(twins().Basic, (1, 1), 8, 5).eval()
    torch.save(theirs.state_dict(), tmp_path / "net.pth")
    ours = models.ResNet(layers=(1, 1), width=8, classes=5).eval()
    ours.load_state_dict(lamina.load(tmp_path / "net.pth"))
    x = np.random.default_rng(0).standard_normal((2, 3, 32, 32)).astype(np.float32)
    close("output", ours(lamina.tensor(x)), theirs(torch.tensor(x)), 1e-5)


@pytest.mark.parametrize("name", ["resnet", "unet", "vae", "dcgan"])
def test_fit_takes_its_options(name, digits):
    """bfloat16, clipping, a schedule, NumPy arrays, float64 weights."""
    model = {**GENERATIVE, **IMAGE}[name]()
    x, y = (to_numpy(t[:64]) for t in digits)
    x = x if name == "dcgan" else (x + 1) / 2
    data = (x, (x[:, 0] * 9).astype(np.int64)) if name == "unet" else (x, y)
    options = {} if name == "dcgan" else {"clip_norm": 1.0, "scheduler": "cosine"}
    history = model.fit(data, epochs=2, precision="bfloat16", validation=data, progress=False, **options)
    assert all(math.isfinite(v) for v in history["val_loss"])
    wide = (lamina.tensor(x).double(), lamina.tensor(data[1]))
    assert math.isfinite(model.double().evaluate(wide)["loss"])


def test_unet_learns_to_segment(digits):
    """Bright pixels, and those next to them on the left."""
    x = digits[0][:96]
    bright = (x[:, 0] > 0).long()
    y = lamina.where((bright == 0) & (F.pad(bright, (0, 1))[:, :, 1:] == 1), 2, bright)
    lamina.manual_seed(1)
    model = models.UNet(classes=3, width=8, depth=2, dice=0.5)
    before = model.evaluate((x, y))
    model.fit((x, y), epochs=8, lr=1e-2, progress=False)
    after = model.evaluate((x, y))
    assert after["loss"] < 0.5 * before["loss"]
    assert after["accuracy"] > 0.9
    assert 0.6 < after["iou"] <= 1
    assert model.predict(x).shape == (96, 8, 8)


def test_iou_and_dice_by_hand():
    metric = models.unet.MeanIoU(4)
    found, truth = np.array([[0, 0, 1, 2]]), np.array([[0, 1, 1, 1]])
    metric.update(lamina.tensor(found), lamina.tensor(truth))
    assert metric.compute() == pytest.approx((1 / 2 + 1 / 3 + 0) / 3)  # class 3 occurs nowhere
    other = models.unet.MeanIoU(4)
    other.update(truth, truth)
    assert metric.merge(other).compute() == pytest.approx((2 / 3 + 4 / 6 + 0) / 3)
    assert math.isnan(models.unet.MeanIoU(2).compute())
    logits = np.random.default_rng(0).standard_normal((2, 3, 4, 5))
    y = np.random.default_rng(1).integers(0, 3, (2, 4, 5))
    p = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    t = np.moveaxis(np.eye(3)[y], -1, 1)
    dice = (2 * (p * t).sum((2, 3)) + 1) / (p.sum((2, 3)) + t.sum((2, 3)) + 1)
    got = models.unet.dice_loss(lamina.tensor(logits), lamina.tensor(y)).item()
    assert got == pytest.approx(1 - dice.mean(), rel=1e-12)


def test_stochastic_depth_drops_rows():
    drop = models.efficientnet.StochasticDepth(0.25)
    y = drop(lamina.ones(4000, 2, 3))
    assert bool((y == y[:, :1, :1]).all())
    values = sorted(set(y.flatten().tolist()))
    assert values == [0.0, pytest.approx(4 / 3)]
    assert abs(float(y.mean().item()) - 1) < 0.05
    assert bool((drop.eval()(y) == y).all())


def test_fresh_resnet_starts_as_identity():
    block = models.ResNet(layers=(1,), width=4, zero_init_residual=True).layer1[0]
    x = lamina.rand(2, 4, 5, 5)
    assert bool((block.eval()(x) == x).all())


def test_every_public_name_is_there_and_says_what_it_is():
    for name in models.__all__:
        assert getattr(models, name).__doc__, name
    with pytest.raises(AttributeError, match=r"nearest is lamina.models.resnet18"):
        models.resnet_18  # noqa: B018


def test_config_and_overrides():
    config = models.ResNetConfig(layers=[1, 1], classes=7)
    model = models.ResNet(config, width=4)
    assert (model.config.layers, model.config.classes, model.config.width) == ((1, 1), 7, 4)
    assert config.width == 64, "the given config changed"
    with pytest.raises(TypeError, match="width"):
        models.ResNet(widht=4)


# -- hostile input ---------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: models.ResNet(layers=()), "layers"),
        (lambda: models.ResNet(layers=(1, 0)), r"layers\[1\]"),
        (lambda: models.ResNet(layers="23"), "layers"),
        (lambda: models.ResNet(block="wide"), "'basic' or 'bottleneck', got 'wide'"),
        (lambda: models.ResNet(width=-1), "width must be a positive whole number, got -1"),
        (lambda: models.ResNet(classes=2.5), "classes"),
        (lambda: models.ResNet(classes=True), "classes"),
        (lambda: models.ResNet(classes=None), "classes"),
        (lambda: models.MLP(inputs=0), "inputs"),
        (lambda: models.MLP(hidden=(8, -1)), r"hidden\[1\]"),
        (lambda: models.MLP(dropout=1.0), "dropout"),
        (lambda: models.CNN(dropout=float("nan")), "dropout"),
        (lambda: models.LeNet(size=8), "at least 16"),
        (lambda: models.VGG(stages=(1, "a")), "stages"),
        (lambda: models.MobileNetV2(width_mult=0), "width_mult"),
        (lambda: models.MobileNetV2(stages=((1, 8, 1, 0),)), "stage"),
        (lambda: models.EfficientNet(stages=((1, 4, 1, 8, 1),)), "kernels must be odd"),
        (lambda: models.EfficientNet(stochastic_depth=1), "stochastic_depth"),
        (lambda: models.ViT(size=30, patch=16), "patch 16 must divide size 30"),
        (lambda: models.ViT(width=30, heads=4), "heads 4 must divide width 30"),
        (lambda: models.UNet(dice=-1), "dice"),
        (lambda: models.UNet(depth=0), "depth"),
    ],
)
def test_wrong_configs(call, message):
    with pytest.raises(ValueError, match=message):
        call()


SMALL = {
    "ResNet": lambda: models.ResNet(layers=(1,), width=4),
    "MobileNetV2": lambda: models.MobileNetV2(stages=((1, 8, 1, 1),)),
    "EfficientNet": lambda: models.EfficientNet(stages=((1, 3, 1, 8, 1),)),
    "VGG": lambda: models.VGG(stages=(1, 1), width=4, hidden=4, pool=1),
    "CNN": lambda: models.CNN(channels=3),
    "LeNet": lambda: models.LeNet(channels=3, size=16),
    "UNet": lambda: models.UNet(channels=3, width=4, depth=1),
    "ViT": lambda: models.ViT(size=16, patch=8, width=4, heads=1, layers=1, hidden=4),
}


HOSTILE = [
    None,
    "x",
    "",
    b"a",
    -1,
    0,
    1.5,
    math.nan,
    math.inf,
    (),
    [],
    (0,),
    (1, "a"),
    (-3, 4),
    {},
    object(),
    True,
    2**70,
]
OTHERS = {name: getattr(models, name) for name in ("MLP", "Autoencoder", "VAE", "GAN")}
OTHERS["DCGAN"] = lambda **o: models.DCGAN(**{"size": 8, "width": 4, **o})


@pytest.mark.parametrize("name", [*SMALL, *OTHERS])
def test_hostile_fields(name):
    """Any value in any field makes a model that works or an error of the class that names the field."""
    config = getattr(models, f"{name}Config")
    usual = (SMALL | OTHERS)[name]().config
    for field in dataclasses.fields(config):
        for value in [*HOSTILE, lamina.zeros(2)]:
            try:
                made = dataclasses.replace(usual, **{field.name: value})
            except ValueError as error:
                assert str(error).startswith(f"{name}Config: "), (field.name, value)
                assert field.name in str(error), (field.name, value)
            else:
                if value != 2**70:
                    getattr(models, name)(made)


@pytest.mark.parametrize("name", SMALL)
def test_wrong_images(name):
    model = SMALL[name]()
    with pytest.raises(lamina.ShapeError, match=rf"{name}: expected images .*unsqueeze"):
        model(lamina.zeros(3, 16, 16))
    with pytest.raises(lamina.ShapeError, match=rf"{name}: .* channels come before height"):
        model(lamina.zeros(2, 16, 16, 3))
    with pytest.raises(lamina.ShapeError, match=rf"{name}: .*got 1 channels"):
        model(lamina.zeros(2, 1, 16, 16))
    with pytest.raises(lamina.ShapeError, match=rf"{name}: expected images"):
        model(lamina.zeros(2, 3, 16, 0))
    with pytest.raises(lamina.DtypeError, match=r"x.float\(\) / 255"):
        model(lamina.zeros(2, 3, 16, 16, dtype=lamina.uint8))
    assert model.eval()(lamina.full((1, 3, 16, 16), math.nan)).isnan().all().item()
    assert len(model.eval()(lamina.zeros(0, 3, 16, 16))) == 0


def test_wrong_rows_and_targets():
    with pytest.raises(lamina.ShapeError, match="MLP: expected 64 values a row"):
        models.MLP()(lamina.zeros(2, 63))
    with pytest.raises(lamina.ShapeError, match="MLP"):
        models.MLP()(lamina.zeros(()))
    with pytest.raises(lamina.DtypeError, match="MLP"):
        models.MLP()(lamina.zeros(2, 64, dtype=lamina.int64))
    with pytest.raises(lamina.ShapeError, match="a class per pixel"):
        models.UNet(width=4, depth=1).training_loss(lamina.zeros(2, 1, 4, 4), lamina.zeros(2, dtype=lamina.int64))
    with pytest.raises(lamina.ShapeError, match="MeanIoU"):
        models.unet.MeanIoU(2).update(lamina.zeros(2, 3), lamina.zeros(2, 4))
