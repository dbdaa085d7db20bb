"""Pictures: what is drawn, where files go, and what is refused."""

from __future__ import annotations

import subprocess
import sys

import lamina
import matplotlib
import numpy as np
import pytest
from lamina import nn, plot
from matplotlib.figure import Figure


def texts(items):
    return [item.get_text() for item in items]


def lines(axis):
    return {line.get_label(): line.get_xydata() for line in axis.get_lines()}


HISTORY = [
    {
        "epoch": i,
        "step": 10 * i,
        "loss": 1.0 / i,
        "val_loss": 1.2 / i,
        "val_accuracy": 0.5 + 0.05 * i,
        "lr": 0.1 / i,
        "seconds": 3.0,
    }
    for i in range(1, 7)
]

DRAWINGS = {
    "curves": lambda **o: plot.curves(HISTORY, **o),
    "confusion": lambda **o: plot.confusion(np.eye(3, dtype=int), ["a", "b", "c"], **o),
    "grid": lambda **o: plot.grid(lamina.rand(5, 3, 4, 6), **o),
    "reconstructions": lambda **o: plot.reconstructions(lamina.rand(5, 1, 4, 6), lamina.rand(5, 1, 4, 6), **o),
    "latent": lambda **o: plot.latent(lamina.randn(30, 4), [0, 1, 2] * 10, **o),
    "attention": lambda **o: plot.attention(lamina.rand(2, 3, 4), list("abcd"), list("xyz"), **o),
    "filters": lambda **o: plot.filters(lamina.models.CNN(), **o),
    "lr_find": lambda **o: plot.lr_find(lamina.tuning.LRFind([1e-3, 1e-2, 0.1], [2, 1, 3], [2, 1.5, 2], 1e-2), **o),
    "forecast": lambda **o: plot.forecast([1, 2, 3], [4, 5], [4, 6], **o),
    "roc": lambda **o: plot.roc([0.2, 0.7, 0.9], [0, 1, 1], **o),
}


@pytest.mark.parametrize("name", plot.__all__)
def test_every_function_gives_a_figure_and_writes_it(name, tmp_path):
    figure = DRAWINGS[name](path=tmp_path / "f.png", title="A title")
    assert isinstance(figure, Figure) and figure.get_suptitle() == "A title"
    raw = (tmp_path / "f.png").read_bytes()
    assert raw[:8] == b"\x89PNG\r\n\x1a\n" and len(raw) > 2000
    DRAWINGS[name](path=str(tmp_path / "f.svg"))
    assert "<svg" in (tmp_path / "f.svg").read_text()


def test_no_display_and_no_pyplot():
    code = (
        "import sys, lamina; from lamina import plot\n"
        "assert 'matplotlib' not in sys.modules\n"
        "plot.grid(lamina.rand(2, 4, 4)); plot.curves({'loss': [1.0]}); plot.roc([0.1, 0.9], [0, 1])\n"
        "assert 'matplotlib.pyplot' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, env={**__import__("os").environ, "MPLBACKEND": "tkagg"})


def test_without_matplotlib_the_error_says_what_to_install():
    code = (
        "import sys; sys.modules['matplotlib'] = None\nimport lamina\n"
        "try: lamina.plot.curves({'loss': [1.0]})\nexcept ImportError as e: print(e)"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert 'pip install "lamina[plot]"' in out.stdout, out.stderr


def test_curves():
    figure = plot.curves(lamina.training.History(HISTORY))
    loss, accuracy, rate = figure.axes
    assert (loss.get_ylabel(), accuracy.get_ylabel(), rate.get_ylabel()) == (
        "loss",
        "validation accuracy",
        "learning rate",
    )
    drawn = lines(loss)
    assert drawn["training"].tolist() == [[i, 1.0 / i] for i in range(1, 7)]
    assert drawn["validation"].tolist() == [[i, 1.2 / i] for i in range(1, 7)]
    assert list(lines(accuracy)) == ["validation"] and loss.get_xlabel() == "epoch"
    assert len(plot.curves(HISTORY, names=["val_accuracy"]).axes) == 1
    assert len([a for a in plot.curves({n: [1.0, 2.0] for n in "abcde"}).axes if a.get_visible()]) == 5
    partly = plot.curves([{"loss": 1.0}, {"loss": 0.5, "val_loss": 0.7}]).axes[0]
    assert np.isnan(lines(partly)["validation"][0, 1]) and lines(partly)["validation"][1, 1] == 0.7
    with pytest.raises(ValueError, match="has no 'f1'"):
        plot.curves(HISTORY, names=["f1"])
    for empty in ([], {}, [{"epoch": 1}]):
        with pytest.raises(ValueError, match="no records"):
            plot.curves(empty)
    with pytest.raises(TypeError, match="a History"):
        plot.curves([1, 2])


def test_confusion():
    figure = plot.confusion(lamina.tensor([[8, 2], [0, 0]]), ["cat", "dog"])
    axis = figure.axes[0]
    assert axis.images[0].get_array().tolist() == [[0.8, 0.2], [0, 0]]
    assert texts(axis.texts) == ["8", "2", "0", "0"] and texts(axis.get_xticklabels()) == ["cat", "dog"]
    assert (axis.get_xlabel(), axis.get_ylabel()) == ("predicted class", "true class")
    assert texts(plot.confusion([[0.75, 0.25], [0.5, 0.5]]).axes[0].texts) == ["0.75", "0.25", "0.50", "0.50"]
    big = plot.confusion(np.ones((60, 60), int)).axes[0]
    assert not big.texts and len(big.get_xticks()) == 30
    for bad in ([1, 2], [[1, 2]], np.zeros((0, 0))):
        with pytest.raises(lamina.ShapeError, match=r"matrix should be \(C, C\)"):
            plot.confusion(bad)
    with pytest.raises(ValueError, match="3 labels for 2"):
        plot.confusion([[1, 0], [0, 1]], "abc")


def test_roc():
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 2, 300)
    scores = np.round(truth + rng.standard_normal(300), 1)  # with ties
    axis = plot.roc(lamina.tensor(scores), lamina.tensor(truth)).axes[0]
    wins = (scores[truth == 1][:, None] > scores[truth == 0]).mean()
    ties = (scores[truth == 1][:, None] == scores[truth == 0]).mean()
    assert axis.get_legend().get_texts()[0].get_text() == f"area {wins + ties / 2:.3f}"
    points = axis.get_lines()[0].get_xydata()
    assert points[0].tolist() == [0, 0] and points[-1].tolist() == [1, 1] and (np.diff(points, axis=0) >= 0).all()
    many = plot.roc(rng.random((50, 3)), rng.integers(0, 2, 50), ["a", "b", "c"]).axes[0]
    assert [t.split(":")[0] for t in texts(many.get_legend().get_texts())] == ["a", "b", "chance"]
    for scores, truth in (([0.1], [0, 1]), ([[[0.1]]], [0])):
        with pytest.raises(lamina.ShapeError):
            plot.roc(scores, truth)
    with pytest.raises(ValueError, match="one class alone"):
        plot.roc([0.1, 0.2], [1, 1])
    with pytest.raises(ValueError, match="2 labels for 3"):
        plot.roc(np.zeros((2, 3)), [0, 1], ["a", "b"])


def test_grids_of_images():
    def shown(figure, i=0):
        return np.asarray(figure.axes[i].images[0].get_array())

    x = lamina.rand(7, 1, 4, 6)
    figure = plot.grid(x, columns=3, titles=range(7))
    assert len(figure.axes) == 7 and texts(a.title for a in figure.axes) == [str(i) for i in range(7)]
    np.testing.assert_array_equal(shown(figure, 6), x[6, 0].numpy().astype(float))
    colour = np.arange(2 * 3 * 2 * 2, dtype=np.uint8).reshape(2, 3, 2, 2)
    np.testing.assert_array_equal(shown(plot.grid(colour), 1), np.moveaxis(colour[1], 0, -1) / 255)
    wide = shown(plot.grid(lamina.tensor([[[-1.0, 3.0]], [[1.0, 1.0]]])))
    assert wide.tolist() == [[0.0, 1.0]]
    assert shown(plot.grid(lamina.rand(2, 3, 4).bfloat16())).shape == (3, 4)
    for bad in (lamina.rand(3, 4), lamina.rand(2, 4, 3, 3), lamina.rand(0, 1, 3, 3)):
        with pytest.raises(lamina.ShapeError):
            plot.grid(bad)
    with pytest.raises(ValueError, match="columns"):
        plot.grid(x, columns=0)
    with pytest.raises(ValueError, match="2 titles for 7"):
        plot.grid(x, titles=["a", "b"])
    with pytest.raises(ValueError, match="NaN"):
        plot.grid(x * float("nan"))
    with pytest.raises(TypeError, match="numbers"):
        plot.grid(np.array([["a"]]))


def test_reconstructions_share_a_scale():
    x = lamina.rand(12, 1, 4, 4)
    figure = plot.reconstructions(x, 2 * x, count=3)
    assert len(figure.axes) == 9 and figure.axes[0].get_ylabel() == "original"
    images = [np.asarray(a.images[0].get_array()) for a in figure.axes]
    np.testing.assert_allclose(images[3] - images[3].min(), 2 * (images[0] - images[0].min()), atol=1e-6)
    assert max(i.max() for i in images[6:]) == 1.0
    with pytest.raises(lamina.ShapeError):
        plot.reconstructions(x, x[:3])
    with pytest.raises(ValueError, match="count"):
        plot.reconstructions(x, x, count=0)


def test_latent_points():
    z = lamina.randn(40, 2)
    drawn = plot.latent(z).axes[0].collections[0].get_offsets()
    np.testing.assert_array_equal(drawn, z.numpy().astype(float))
    rng = np.random.default_rng(0)
    wide = rng.standard_normal((100, 2)) * [5, 2] @ np.linalg.qr(rng.standard_normal((6, 6)))[0][:2]
    axis = plot.latent(wide, ["a", "b"] * 50).axes[0]
    points = np.concatenate([c.get_offsets() for c in axis.collections])
    np.testing.assert_allclose(np.sort(points.var(0)), np.sort(np.linalg.svd(wide - wide.mean(0))[1][:2] ** 2 / 100))
    assert "of the variance" in axis.get_xlabel() and texts(axis.get_legend().get_texts()) == ["a", "b"]
    again = np.concatenate([c.get_offsets() for c in plot.latent(wide, ["a", "b"] * 50).axes[0].collections])
    assert again.tolist() == points.tolist()
    assert len(plot.latent(z, lamina.rand(40)).axes) == 2  # a colour scale
    assert len(plot.latent(z, lamina.arange(40)).axes) == 2
    plot.latent(lamina.randn(5, 1), [True, False, True, True, False])
    plot.latent(lamina.randn(1, 5))
    for bad in (lamina.randn(4), lamina.randn(4, 2, 2)):
        with pytest.raises(lamina.ShapeError):
            plot.latent(bad)
    with pytest.raises(lamina.ShapeError, match=r"labels should be \(40,\)"):
        plot.latent(z, [1, 2])
    with pytest.raises(ValueError, match="at most 16"):
        plot.latent(z, [f"n{i}" for i in range(40)])
    with pytest.raises(ValueError, match="NaN"):
        plot.latent(z * float("nan"))


def test_attention_and_filters():
    weights = lamina.rand(6, 3, 4).softmax(-1)
    figure = plot.attention(weights, list("abcd"), list("xyz"))
    assert texts(figure.axes[0].get_xticklabels()) == list("abcd") and texts(figure.axes[5].get_yticklabels()) == list(
        "xyz"
    )
    assert [a.get_title() for a in figure.axes[:6]] == [f"head {i}" for i in range(6)]
    np.testing.assert_allclose(figure.axes[2].images[0].get_array(), weights[2].numpy())
    assert len(plot.attention(lamina.rand(90, 90)).axes[0].get_xticks()) <= 40
    with pytest.raises(ValueError, match="3 tokens for 4"):
        plot.attention(weights, list("abc"))
    with pytest.raises(lamina.ShapeError):
        plot.attention(lamina.rand(3))
    conv = nn.Conv2d(3, 20, 5)
    picture = np.asarray(plot.filters(conv).axes[4].images[0].get_array())
    assert picture.shape == (5, 5, 3) and picture.min() >= 0 and picture.max() <= 1
    assert len(plot.filters(conv, count=7).axes) == 7
    gray = plot.filters(nn.Sequential(nn.ReLU(), nn.Conv2d(2, 4, 3)))
    assert len(gray.axes) == 5 and gray.axes[0].images[0].get_clim()[0] == -gray.axes[0].images[0].get_clim()[1]
    assert len(plot.filters(nn.Conv1d(2, 4, 7)).axes[0].get_lines()) == 2
    with pytest.raises(ValueError, match="has no Conv"):
        plot.filters(nn.Linear(2, 2))
    with pytest.raises(TypeError, match="a convolution"):
        plot.filters(3)


def test_lines_of_sweeps_and_forecasts(tmp_path):
    found = lamina.lr_find(nn.Linear(2, 1), (lamina.randn(40, 2), lamina.randn(40, 1)), loss="mse", steps=30)
    figure = found.plot(tmp_path / "lr.png")
    assert (tmp_path / "lr.png").exists() and figure.axes[0].get_xscale() == "log"
    assert lines(figure.axes[0])["smoothed"][:, 1].tolist() == found.smoothed
    flat = lamina.tuning.LRFind([1e-3, 1e-2], [1.0, 1.0], [1.0, 1.0], None)
    assert len(flat.plot().axes[0].get_lines()) == 2 and "no loss fell" in repr(flat)
    axis = plot.forecast([1, 2, 3], [4, 5], lamina.tensor([4.5, 6.0]), lower=[4, 5], upper=[5, 7]).axes[0]
    drawn = lines(axis)
    assert drawn["history"].tolist() == [[0, 1], [1, 2], [2, 3]]
    assert drawn["truth"].tolist() == [[2, 3], [3, 4], [4, 5]]
    assert drawn["prediction"].tolist() == [[2, 3], [3, 4.5], [4, 6]] and len(axis.collections) == 1
    assert len(plot.forecast(np.ones((5, 3)), None, np.ones((2, 3))).axes) == 3
    for truth, prediction in (([1], [1, 2]), (None, [[1, 2]])):
        with pytest.raises(lamina.ShapeError):
            plot.forecast([1, 2], truth, prediction)
    with pytest.raises(ValueError, match="both lower and upper"):
        plot.forecast([1, 2], None, [1], lower=[0])
    with pytest.raises(ValueError, match="a history and a prediction"):
        plot.forecast([1, 2], [1], None)
    assert matplotlib.get_backend() is not None
