"""save(model) and load: the model comes back, and a file that means harm makes nothing."""

from __future__ import annotations

import collections
import dataclasses
import functools
import io
import json
import pathlib
import struct
import time

import lamina
import lamina.nn.functional as F
import pytest
from lamina import nn, serialization

CALLS = []


@dataclasses.dataclass
class Config:
    width: int = 2
    names: tuple[str, ...] = ("a",)


class Net(nn.Module):
    limit = 5

    def __init__(self, width=2):
        super().__init__()
        CALLS.append("init")
        self.config = Config(width)
        self.first, self.tied = nn.Linear(width, 3), nn.Linear(width, 3)
        self.tied.weight = self.first.weight
        self.first.bias.requires_grad_(False)
        self.register_buffer("cache", lamina.arange(6.0), persistent=False)
        self.register_buffer("steps", lamina.tensor(3))
        self.register_buffer("none", None)
        self.part = self.cache[2:4]  # a view
        self.act, self.other, self.norm = F.relu, lamina.tanh, nn.BatchNorm1d
        self.known = [self.first, self.first.weight, {"t": self.steps}]
        self.plain = lamina.arange(3)
        self.loose = nn.Parameter(lamina.ones(1)), 7
        self.limit = 6
        self.counts = collections.Counter("aab")

    def forward(self, x):
        return self.other(self.act(self.first(x)) + self.tied(x))

    @property
    def shown(self):
        CALLS.append("get")
        return 1

    @shown.setter
    def shown(self, value):
        CALLS.append("set")

    @functools.cached_property
    def slow(self):
        return self.config.width * 2

    def __setstate__(self, state):
        CALLS.append("setstate")

    def __reduce__(self):
        CALLS.append("reduce")
        return super().__reduce__()


def written(value):
    stream = io.BytesIO()
    lamina.save(value, stream)
    return stream.getvalue()


def back(value, **options):
    return lamina.load(io.BytesIO(written(value)), **options)


def test_the_model_comes_back():
    model = Net().eval()
    model.first.train()
    assert model.slow == 4
    CALLS.clear()
    got = back(model)
    assert CALLS == [] and type(got) is Net and repr(got) == repr(model)
    x = lamina.randn(4, 2)
    assert got(x).tolist() == model(x).tolist()
    assert not got.training and got.first.training and got.config == Config(2) and got.config is not model.config
    assert got.tied.weight is got.first.weight and isinstance(got.tied.weight, nn.Parameter)
    assert not got.first.bias.requires_grad and got.first.weight.requires_grad
    assert list(got.state_dict()) == list(model.state_dict()) and "cache" not in got.state_dict()
    assert got.cache.tolist() == model.cache.tolist() and got.none is None and got.steps.item() == 3
    got.cache[2] = 50.0
    assert got.part.tolist() == [50.0, 3.0]
    assert got.act is F.relu and got.other is lamina.tanh and got.norm is nn.BatchNorm1d
    assert got.known[0] is got.first and got.known[1] is got.first.weight and got.known[2]["t"] is got.steps
    assert got.plain.tolist() == [0, 1, 2] and isinstance(got.loose[0], nn.Parameter) and got.loose[1] == 7
    assert got.limit == 6 and Net.limit == 5 and got.counts == collections.Counter("aab")
    got(x).sum().backward()
    assert got.first.weight.grad is not None and "slow" not in vars(got)


def test_models_within_checkpoints():
    model, tail = Net(), nn.Linear(2, 2)
    got = back({"nets": [model, tail, model.first], "w": tail.weight, "epoch": 3})
    assert got["nets"][2] is got["nets"][0].first and got["w"] is got["nets"][1].weight and got["epoch"] == 3


def test_other_readers_see_the_state_dict(tmp_path):
    model = Net()
    lamina.save(model, tmp_path / "m", metadata={"who": "me"})
    weights = serialization.load_file(tmp_path / "m")
    assert sorted(weights) == sorted(model.state_dict())
    Net().load_state_dict(weights)
    Net().load_state_dict(lamina.load(tmp_path / "m"))  # a whole model stands for its state
    assert serialization.load_with_metadata(tmp_path / "m")[1]["who"] == "me"
    safetensors = pytest.importorskip("safetensors.numpy")
    assert set(model.state_dict()) < set(safetensors.load_file(tmp_path / "m"))


LAYERS = {
    "lstm": lambda: nn.LSTM(2, 3, 2, bidirectional=True),
    "attention": lambda: nn.MultiheadAttention(4, 2),
    "transformer": lambda: nn.Transformer(8, 2, 1, 1, 16),
    "norms": lambda: nn.Sequential(nn.BatchNorm2d(3), nn.GroupNorm(1, 3), nn.LayerNorm(3), nn.ReLU()),
    "containers": lambda: nn.ModuleDict({"a": nn.ModuleList([nn.ReLU()]), "b": nn.ParameterList([lamina.ones(2)])}),
    "weight norm": lambda: nn.utils.parametrizations.weight_norm(nn.Linear(3, 2)),
    "spectral norm": lambda: nn.utils.parametrizations.spectral_norm(nn.Linear(3, 2)),
    "older weight norm": lambda: nn.utils.weight_norm(nn.Linear(3, 2)),
    "older spectral norm": lambda: nn.utils.spectral_norm(nn.Linear(3, 2)).eval(),
    "orthogonal": lambda: nn.utils.parametrizations.orthogonal(nn.Linear(3, 3)),
    "gpt": lambda: lamina.models.GPT(vocab=10, width=8, layers=1, heads=2),
    "bert": lambda: lamina.models.BERT(vocab=200, width=8, layers=1, heads=2),
    "t5": lambda: lamina.models.T5(vocab=20, width=8, layers=1, heads=2, head_width=4, hidden=8),
    "vit": lambda: lamina.models.ViT(size=8, patch=4, channels=1, classes=3, width=8, layers=1, heads=2, hidden=8),
    "resnet": lambda: lamina.models.ResNet(layers=(1, 1), width=4, stem="small", channels=1, classes=2),
    "unet": lambda: lamina.models.UNet(width=4, depth=2),
    "gan": lambda: lamina.models.DCGAN(size=8, channels=1, width=4, latent=5),
    "vae": lambda: lamina.models.VAE(latent=2),
    "forecaster": lambda: lamina.models.Forecaster(features=3, targets=1, horizon=4),
}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", LAYERS)
def test_layers_and_models_come_back_whole(name):
    model = LAYERS[name]()
    got = back(model)
    assert repr(got) == repr(model) and set(vars(got)) == set(vars(model)) - {"_state_hooks"}
    own, theirs = model.state_dict(), got.state_dict()
    assert list(own) == list(theirs) and all(own[k].tolist() == theirs[k].tolist() for k in own)
    assert [p.requires_grad for p in got.parameters()] == [p.requires_grad for p in model.parameters()]


def test_parametrizations_go_on_computing():
    model = nn.utils.parametrizations.weight_norm(nn.Linear(3, 2))
    got = back(model)
    assert got.weight.tolist() == model.weight.tolist() and nn.utils.parametrize.is_parametrized(got, "weight")
    with lamina.no_grad():
        got.parametrizations.weight.original0.mul_(2)
    assert lamina.allclose(got.weight, model.weight * 2)
    for make in (nn.utils.weight_norm, nn.utils.spectral_norm):
        model = make(nn.Linear(3, 2)).eval()
        got, x = back(model), lamina.ones(1, 3)
        assert got(x).tolist() == model(x).tolist()
        with lamina.no_grad():
            (got.weight_g if hasattr(got, "weight_g") else got.bias).mul_(2)
        assert got(x).tolist() != model(x).tolist()


def test_model_save_and_load(tmp_path):
    model = lamina.models.MLP(inputs=4, hidden=(3,))
    model.save(tmp_path / "m")
    got = lamina.models.MLP.load(tmp_path / "m")
    assert got.config == model.config and got(lamina.ones(1, 4)).tolist() == model(lamina.ones(1, 4)).tolist()
    with pytest.raises(TypeError, match=r"GPT\.load: the file holds a MLP"):
        lamina.models.GPT.load(tmp_path / "m")


def test_what_cannot_be_saved_is_named_and_the_tensors_stay():
    model = nn.Linear(2, 2)
    model.rule = lambda x: x
    with pytest.warns(UserWarning, match=r"'rule' \(function .*lambda.*cannot be saved"):
        data = written(model)
    with pytest.raises(lamina.FileError, match=r"could not save, function .*lambda.* is not made"):
        lamina.load(io.BytesIO(data))
    assert sorted(serialization.load_file(io.BytesIO(data))) == ["bias", "weight"]
    got = lamina.load(io.BytesIO(data), unknown="placeholder")
    assert isinstance(got.rule, lamina.Placeholder) and got(lamina.ones(1, 2)).shape == (1, 2)
    hooked = nn.Linear(2, 2)
    hooked.register_forward_hook(lambda *a: None)
    with pytest.warns(UserWarning, match="hooks of 0 are not saved"):
        assert back(nn.Sequential(hooked))[0](lamina.ones(1, 2)).shape == (1, 2)
    with pytest.warns(UserWarning, match="call the model once"):
        written(nn.LazyLinear(3))


def test_a_class_that_is_not_there_is_named():
    def local():
        class Gone(nn.Module):
            def __init__(self):
                super().__init__()
                self.inner, self.width = nn.Linear(2, 2), 2

        return Gone()

    data = written(nn.Sequential(local())).replace(b"<locals>.Gone", b"<locals>.Lost")
    with pytest.raises(lamina.FileError, match=r"module .*Lost is not made.*load_file"):
        lamina.load(io.BytesIO(data), verify=False)
    got = lamina.load(io.BytesIO(data), verify=False, unknown="placeholder")
    assert list(got.state_dict()) == ["0.inner.weight", "0.inner.bias"] and got[0].width == 2
    with pytest.raises(NotImplementedError, match="Lost"):
        got(lamina.ones(1, 2))


def test_of_two_classes_of_one_name_the_newest_is_made():
    def make(number):
        class Twice(nn.Module):
            version = number

        return Twice

    old, new = make(1), make(2)
    assert back(old()).version == 2 and new.version == 2


def test_models_without_children_have_cycles_through_attributes():
    model = nn.Sequential(nn.Linear(2, 2))
    model[0].owner = [model]
    got = back(model)
    assert got[0].owner[0] is got


# -- hostile files ----------------------------------------------------------------------------------------------------
def node(cls=("lamina.nn.linear", "Linear"), **tables):
    made = {"class": list(cls), "training": True, "parameters": [], "buffers": [], "modules": [], "attributes": []}
    return {**made, **tables}


def hostile(*modules, tree=None, **options):
    texts = {"lamina.format": "2", "lamina.tree": json.dumps({"module": 0} if tree is None else tree)}
    texts["lamina.modules"] = json.dumps(list(modules))
    stream = io.BytesIO()
    serialization.save_file({"w": lamina.ones(4), "n": lamina.arange(3)}, stream, texts)
    return lamina.load(io.BytesIO(stream.getvalue()), **options)


def test_the_hostile_frame_itself_is_valid():
    got = hostile(node(parameters=[["weight", {"t": "w"}, True]], attributes=[["in_features", 4]]))
    assert type(got) is nn.Linear and got.weight.tolist() == [1] * 4 and got.in_features == 4


@pytest.mark.parametrize(
    "cls",
    [
        ("os", "system"),
        ("builtins", "eval"),
        ("subprocess", "Popen"),
        ("antigravity", "Net"),
        ("lamina", "Linear"),
        ("lamina.nn", "Linear"),
        ("lamina.nn.linear", "Lin"),
        ("lamina.nn.linear", "Linear.forward"),
        ("lamina.nn.linear", "Linear.__init__"),
        ("lamina.nn.linear.Linear", ""),
        ("lamina.serialization", "load"),
        ("lamina.nn.parameter", "Parameter"),
        ("collections", "OrderedDict"),
        (__name__, "Config"),
        (__name__, "written"),
        (__name__ + "\0", "Net"),
        ("../" + __name__, "Net"),
        ("", ""),
    ],
    ids=str,
)
def test_classes_that_are_no_modules_are_named(cls):
    CALLS.clear()
    with pytest.raises(lamina.FileError, match=r"module .*is not made"):
        hostile(node(cls))
    assert CALLS == []


@pytest.mark.parametrize(
    "name",
    [
        "forward",
        "__class__",
        "__dict__",
        "__init__",
        "shown",
        "__setstate__",
        "_hooks",
        "training",
        "_module_names",
        "to",
    ]
    + ["slow", "__call__", "_parameter_names", "state_dict", "__len__", "__getattr__"],
)
@pytest.mark.parametrize("table", ["attributes", "parameters", "buffers", "modules"])
def test_names_that_would_run_or_hide_code_are_refused(name, table):
    CALLS.clear()
    row = {"attributes": [name, 1], "parameters": [name, {"t": "w"}, True], "buffers": [name, {"t": "w"}, True]}
    rows = {**row, "modules": [name, 1]}[table]
    with pytest.raises(lamina.FileError):
        hostile(node((__name__, "Net"), **{table: [rows]}), node())
    assert CALLS == []


@pytest.mark.parametrize(
    "modules",
    [
        [],
        [3],
        [{}],
        [node(modules=[["a", 0]])],
        [node(modules=[["a", 1]]), node(modules=[["b", 0]])],
        [node(modules=[["a", 7]])],
        [node(modules=[["a", -1]])],
        [node(modules=[["a", True]])],
        [node(modules=[["a", "0"]])],
        [node(modules=[["a", 1], ["a", 1]]), node()],
        [node(attributes=[["a", 1], ["a", 2]])],
        [node(attributes=[["a"]])],
        [node(attributes=[[3, 1]])],
        [node(attributes={"a": 1})],
        [node(parameters=[["weight", {"t": "absent"}, True]])],
        [node(parameters=[["weight", 3, True]])],
        [node(parameters=[["a.b", {"t": "w"}, True]])],
        [node(parameters=[["", {"t": "w"}, True]])],
        [node(buffers=[["b", "text", True]])],
        [node(parameters=[["v", {"view": ["w", [5], [1], 0]}, True]])],
        [node(parameters=[["v", {"view": ["w", [2], [1], 3]}, True]])],
        [node(parameters=[["v", {"view": ["w", [2], [-1], 1]}, True]])],
        [node(parameters=[["v", {"view": ["w", [2**59, 2**59], [0, 0], 4]}, True]])],
        [node(parameters=[["v", {"view": ["w", [1], [1, 1], 0]}, True]])],
        [node(parameters=[["v", {"view": ["w", [1] * 17, [1] * 17, 0]}, True]])],
        [node(parameters=[["v", {"view": ["w", [0], [1], 0]}, True]])],
        [node(parametrized=["weight"])],
        [node(computed=[["WeightNorm", {"name": "weight", "dim": 0}]])],
        [node(computed=[["WeightNorm", {"name": "forward", "dim": 0}]])],
        [node(computed=[["SpectralNorm", {"name": "weight"}]])],
        [node(computed=[["Masked", {"name": "weight"}]])],
        [
            node(parametrized=["forward"], modules=[["parametrizations", 1]]),
            node(("lamina.nn.containers", "ModuleDict")),
        ],
        [node(("lamina.nn.linear",))],
        [node((3, 4))],
        [node(([], {}))],
    ],
    ids=range(35),
)
def test_damaged_tables_end_in_file_errors(modules):
    with pytest.raises(lamina.FileError):
        hostile(*modules)


def test_a_tensor_that_is_shared_and_a_whole_number_as_parameter():
    rows = [["weight", {"t": "w"}, True], ["bias", {"t": "w"}, True], ["n", {"t": "n"}, True]]
    got = hostile(node(parameters=rows))
    assert got.weight is got.bias and not got.n.requires_grad


def test_many_modules_and_deep_nests_end_quickly():
    begin = time.process_time()
    chain = [node(("lamina.nn.containers", "Sequential"), modules=[["0", i + 1]]) for i in range(3000)]
    got = hostile(*chain, node())
    assert sum(1 for _ in got.modules()) == 3001
    ladder = [node(("lamina.nn.containers", "Sequential"), modules=[["0", i + 1], ["1", i + 1]]) for i in range(60)]
    assert sum(1 for _ in hostile(*ladder, node()).modules()) == 61
    value = 1
    for _ in range(300):
        value = {"l": [value]}
    with pytest.raises(lamina.FileError):
        hostile(node(attributes=[["a", value]]))
    assert time.process_time() - begin < 20


def test_mutated_files_end_in_a_model_or_a_file_error():
    import random

    good, rng = written(Net()), random.Random(0)
    size = struct.unpack("<Q", good[:8])[0]
    for _ in range(200):
        data = bytearray(good)
        for _ in range(rng.randrange(1, 4)):
            data[8 + rng.randrange(size)] = rng.choice(b'{}[]",:0129atmw"')
        CALLS.clear()
        try:
            lamina.load(io.BytesIO(bytes(data)), verify=False)
        except lamina.FileError:
            pass
        assert CALLS == []


# -- files of each version --------------------------------------------------------------------------------------------
GOLDEN = pathlib.Path(__file__).parent / "golden"


def test_golden_tree_of_version_1():
    got = lamina.load(GOLDEN / "lamina_1_tree.safetensors")
    assert got["model"]["weight"].tolist() == [[0, 1, 2], [3, 4, 5]] and got["model"]["bias"].tolist() == [1.5, -2.5]
    assert got["more"][7].tolist() == [1, 2]
    assert {k: got[k] for k in ("epoch", "rate", "notes")} == {"epoch": 3, "rate": 0.5, "notes": [1, (None, True, "x")]}


@pytest.mark.parametrize("version", [1, 2])
def test_golden_models_of_lamina_train(version):
    from lamina._cli import files

    model, recipe = files.read(str(GOLDEN / f"lamina_{version}_train.safetensors"))
    assert recipe.classes == [3, 5] and not model.training
    assert model(lamina.ones(1, 3)).tolist() == [[-3.0, -2.75]]
    again = lamina.load(GOLDEN / f"lamina_{version}_train.safetensors")
    if version == 2:
        assert type(again) is type(model) and again(lamina.ones(1, 3)).tolist() == [[-3.0, -2.75]]
    else:
        assert list(again) == list(model.state_dict())


def test_golden_model_of_version_2():
    got = lamina.load(GOLDEN / "lamina_2_model.safetensors")
    model = got["model"]
    assert model(lamina.arange(3.0).reshape(1, 3)).tolist() == got["y"].tolist() and got["epoch"] == 3
    assert not model.a.weight.requires_grad and model.a.cache.tolist() == [0, 1, 2] and model.d.again is model.a
    assert "a.cache" not in model.state_dict() and nn.utils.parametrize.is_parametrized(model.b)
    tags = model.tags
    assert tags["s"] == {1, 2} and tags["o"] == collections.OrderedDict(k=b"\1") and tags["n"] == 0.5
    assert tags["a"].tolist() == [1, 2] and tags["act"] is F.relu and tags["dt"] is lamina.float16
