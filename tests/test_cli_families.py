"""The `lamina` command, family by family: figures, saved files, what they are used for, and resumed runs."""

import json
import os
import re

import lamina
import numpy as np
import pytest
from lamina import cli, serialization
from test_cli import idx, interrupted, run

TEXT = "the cat sat on the mat; the dog sat on the log. " * 200


def call(capfd, *words):
    """Runs the command in this process: what it prints."""
    status = cli.main(list(map(str, words)))
    out, err = capfd.readouterr()
    assert status == 0, err
    return out


def figure(pattern, text):
    found = re.findall(pattern, text)
    assert found, text
    return float(found[-1])


def recipe(folder):
    return json.loads(serialization.load_with_metadata(folder / "model.safetensors")[1]["lamina.recipe"])


def is_png(path):
    return path.read_bytes().startswith(b"\x89PNG") and path.stat().st_size > 2000


# -- the defaults, as in the help ------------------------------------------------------------------------------------
DEFAULTS = {  # family: (how its figure is printed, the least, the most)
    "mlp": (r"held-out accuracy ([\d.]+)%", 98.8, 100),
    "cnn": (r"held-out accuracy ([\d.]+)%", 99.4, 100),
    "lstm": (r"held-out perplexity ([\d.]+) a character", 2, 5.5),
    "transformer": (r"held-out perplexity ([\d.]+) a character", 2, 6.0),
    "autoencoder": (r"ROC-AUC ([\d.]+)", 0.95, 1),
    "gan": (r"classifier score ([\d.]+)", 7.0, 10),
}


@pytest.mark.slow
@pytest.mark.parametrize("family", DEFAULTS)
def test_default_ends_with_its_figure(tmp_path, family):
    before = os.times()
    done = run("train", family, "--threads", 1, "--out", tmp_path)
    after = os.times()
    assert done.returncode == 0, done.stderr
    pattern, least, most = DEFAULTS[family]
    assert least <= figure(pattern, done.stdout.splitlines()[-1]) <= most, done.stdout[-2000:]
    used = after.children_user + after.children_system - before.children_user - before.children_system
    assert used < 120, used
    assert recipe(tmp_path)["model"] == family and is_png(tmp_path / "curves.png")


# -- language models -------------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def book(tmp_path_factory):
    path = tmp_path_factory.mktemp("book") / "book.txt"
    path.write_text(TEXT)
    return path


@pytest.fixture(scope="module")
def lstm(tmp_path_factory, book):
    folder = tmp_path_factory.mktemp("lstm")
    words = ("--data", book, "--width", 64, "--context", 32, "--batch", 8, "--steps", 120, "--lr", 0.01)
    done = run("train", "lstm", *words, "--out", folder)
    assert done.returncode == 0, done.stderr
    return folder, done.stdout


def test_lstm_learns_a_text_and_writes(lstm, capfd):
    folder, out = lstm
    assert "a sample, after" in out and "960 held out" in out
    perplexity = figure(r"held-out perplexity ([\d.]+)", out)
    bits = figure(r"([\d.]+) bits per character", out)
    assert perplexity < 1.5 and bits == pytest.approx(np.log2(perplexity), abs=2e-3)
    assert is_png(folder / "curves.png") and recipe(folder)["tokenizer"]["characters"]
    words = ("generate", folder / "model.safetensors", "--prompt", "the dog", "--length", 40)
    text = call(capfd, *words, "--temperature", 0)
    assert text.startswith("the dog sat on the log.") and len(text.rstrip("\n")) == 47
    assert call(capfd, *words, "--seed", 3, "--top-k", 5, "--top-p", 0.9) == call(
        capfd, *words, "--seed", 3, "--top-k", 5, "--top-p", 0.9
    )


def test_streamed_text_is_that_of_generate(lstm, capfd):
    from lamina._cli import files

    model, saved = files.read(str(lstm[0] / "model.safetensors"))
    tokens = lamina.text.CharTokenizer._from_json(saved.tokenizer)
    ids = model.generate(tokens.encode("the"), 60, temperature=1.3, top_k=8, seed=5)
    words = ("--prompt", "the", "--length", 60, "--temperature", 1.3, "--top-k", 8, "--seed", 5)
    out = call(capfd, "generate", lstm[0] / "model.safetensors", *words)
    assert out == tokens.decode(ids) + "\n\n"


def test_language_model_errors_teach(lstm, capfd):
    path = str(lstm[0] / "model.safetensors")
    for words, hint in (
        (("generate", path, "--prompt", "é"), "--prompt: 'é' was not in the text"),
        (("predict", path), f"use `lamina generate {path}`"),
    ):
        assert cli.main(words) == 1
        assert hint in capfd.readouterr().err


@pytest.mark.parametrize("words", [("lstm", "--cell", "gru"), ("lstm", "--cell", "rnn"), ("transformer", "--heads", 2)])
def test_other_language_models(tmp_path, book, words, capfd):
    small = ("--width", 16, "--context", 16, "--steps", 4, "--dropout", 0.1, "--layers", 2)
    out = call(capfd, "train", *words, "--data", book, *small, "--out", tmp_path)
    assert figure(r"held-out perplexity ([\d.]+)", out) < 60
    assert len(call(capfd, "generate", tmp_path / "model.safetensors", "--length", 30)) == 1 + 30 + 2
    assert "parameters" in call(capfd, "summary", tmp_path / "model.safetensors")


# -- autoencoder -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("kind", ["dense", "conv", "vae"])
def test_autoencoder_of_digits(tmp_path, kind, capfd):
    out = call(capfd, "train", "autoencoder", "--kind", kind, "--anomaly", 0, "--epochs", 6, "--out", tmp_path)
    assert "anomalies: 178 rows of label 0, never trained on" in out
    assert 0.75 < figure(r"ROC-AUC ([\d.]+)", out) <= 1
    assert 0 < figure(r"reconstruction error ([\d.]+)", out) < 0.08
    assert is_png(tmp_path / "reconstructions.png") and is_png(tmp_path / "roc.png")
    scores = tmp_path / "scores.csv"
    out = call(capfd, "predict", tmp_path / "model.safetensors", "--show", 2, "--csv", scores)
    rows = scores.read_text().splitlines()
    flagged = sum(int(row.split(",")[2]) for row in rows[1:])
    assert f"{flagged:,} of 1,797 rows above the threshold" in out and "row 0: score" in out
    assert 0.75 < figure(r"ROC-AUC ([\d.]+) for label 0", out) <= 1
    made = tmp_path / "made.safetensors"
    status = cli.main(["generate", str(tmp_path / "model.safetensors"), "--count", "7", "--out", str(made)])
    assert status == (0 if kind == "vae" else 1)
    if kind == "vae":
        assert lamina.load(made)["images"].shape == (7, 1, 8, 8)
    else:
        assert "--kind vae" in capfd.readouterr().err


def test_autoencoder_of_a_table_finds_shuffled_rows(tmp_path, capfd):
    rng = np.random.default_rng(0)
    a = rng.normal(size=(400, 2)) @ rng.normal(size=(2, 6)) * [1, 10, 100, 1, 1, 1e-3] + 7
    path = tmp_path / "table.csv"
    np.savetxt(path, a, delimiter=",")
    out = call(
        capfd, "train", "autoencoder", "--data", path, "--target", "none", "--latent", 2, "--epochs", 60,
        "--out", tmp_path,
    )  # fmt: skip
    assert "rows of shuffled values" in out and figure(r"ROC-AUC ([\d.]+)", out) > 0.9
    assert not (tmp_path / "reconstructions.png").exists()
    out = call(capfd, "predict", tmp_path / "model.safetensors", "--data", path, "--target", "none")
    assert "of 400 rows above the threshold" in out and "label" not in out


# -- gan -------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("words", [(), ("--kind", "dcgan"), ("--loss", "wasserstein_gp", "--latent", 8)])
def test_gan_of_digits(tmp_path, words, capfd):
    out = call(capfd, "train", "gan", *words, "--epochs", 2, "--out", tmp_path)
    assert 1 <= figure(r"classifier score ([\d.]+)", out) <= 10
    assert figure(r"held-out images: ([\d.]+)\)", out) > 8.5
    assert is_png(tmp_path / "samples.png") and is_png(tmp_path / "curves.png")
    made = [tmp_path / name for name in ("a.safetensors", "b.safetensors", "c.png")]
    for path in made:
        call(capfd, "generate", tmp_path / "model.safetensors", "--count", 5, "--seed", 1, "--out", path)
    assert made[0].read_bytes() == made[1].read_bytes() and is_png(made[2])
    assert "Linear" in call(capfd, "summary", tmp_path / "model.safetensors") or "dcgan" in words
    images = lamina.load(made[0])["images"]
    assert images.shape == (5, 1, 8, 8) and 0 <= images.min().item() <= images.max().item() <= 1


def test_gan_of_images_without_labels(tmp_path, capfd):
    images = idx(tmp_path / "images", np.random.default_rng(0).integers(0, 255, (60, 5, 7)))
    out = call(capfd, "train", "gan", "--data", images, "--epochs", 1, "--out", tmp_path)
    assert "distance to the nearest training image" in out.splitlines()[-1] and "classifier" not in out


# -- the run ---------------------------------------------------------------------------------------------------------
RESUMED = {
    "mlp": ("--epochs", 12),
    "lstm": ("--width", 32, "--context", 16, "--batch", 4, "--steps", 300, "--dropout", 0.2),
    "autoencoder": ("--epochs", 20),
    "gan": ("--epochs", 16),
}


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="signals")
@pytest.mark.parametrize("family", RESUMED)
def test_a_resumed_run_ends_in_the_bits_of_an_unbroken_one(tmp_path, family, book):
    data = ("--data", book) if family == "lstm" else ()
    words = ("train", family, *data, *RESUMED[family], "--threads", 1)
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    assert run(*words, "--out", whole).returncode == 0
    err = interrupted((*words, "--out", broken), broken)
    assert f"saved {broken}/checkpoint.safetensors" in err
    done = run(*words, "--out", broken, "--resume")
    assert done.returncode == 0, done.stderr
    assert (broken / "model.safetensors").read_bytes() == (whole / "model.safetensors").read_bytes()
    assert not (broken / "checkpoint.safetensors").exists()


def test_checkpoints_that_were_asked_for_stay(tmp_path, capfd):
    words = ("train", "mlp", "--steps", 30, "--quiet", "--out", tmp_path)
    call(capfd, *words, "--checkpoint-every", 10)
    first = (tmp_path / "model.safetensors").read_bytes()
    out = call(capfd, *words, "--checkpoint-every", 10, "--resume", tmp_path / "checkpoint.safetensors")
    assert (tmp_path / "model.safetensors").read_bytes() == first and out.startswith("held-out accuracy")


def test_quiet_log_and_precision(tmp_path, capfd):
    log = tmp_path / "course.csv"
    words = ("--steps", 60, "--quiet", "--log", log, "--precision", "bf16", "--hidden", "32", "--dropout", 0)
    out = call(capfd, "train", "mlp", *words, "--out", tmp_path)
    assert re.fullmatch(r"held-out accuracy [\d.]+% \(\d+ of 360\)\n", out)
    assert log.read_text().startswith("epoch,step,loss,accuracy,val_loss,val_accuracy,lr,seconds\n")
    saved = recipe(tmp_path)
    assert saved["config"]["hidden"] == [32] and saved["precision"] == "bf16" and saved["steps"] == 60


def test_without_matplotlib_a_line_says_so(tmp_path, capfd, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    monkeypatch.setitem(sys.modules, "matplotlib.backends.backend_agg", None)
    out = call(capfd, "train", "mlp", "--epochs", 1, "--out", tmp_path)
    assert out.count("matplotlib is not installed") == 1 and (tmp_path / "model.safetensors").exists()
    assert not (tmp_path / "curves.png").exists()


def test_nan_loss_ends_in_one_line(tmp_path, capfd):
    assert cli.main(["train", "mlp", "--lr", "1e30", "--epochs", "2", "--quiet", "--out", str(tmp_path)]) == 1
    err = capfd.readouterr().err.splitlines()
    assert "hint: a smaller --lr than 1e+30" in err[-1]


# -- summary ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", ["mlp", "cnn", "lenet", "lstm", "transformer", "autoencoder", "vae", "gan", "unet"])
def test_summary_of_a_named_model(name, capfd):
    out = call(capfd, "summary", name)
    assert "parameters" in out and "FLOPs in one forward pass" in out


def test_summary_of_a_file_and_of_a_shape(tmp_path, capfd):
    call(capfd, "train", "cnn", "--steps", 2, "--width", 4, "--out", tmp_path)
    out = call(capfd, "summary", tmp_path / "model.safetensors", "--depth", 1)
    assert "cnn of lamina" in out and "(1, 10)" in out
    assert "(2, 10)" in call(capfd, "summary", "CNN", "--input", "2,1,28,28")


def test_curves_go_over_steps_where_an_epoch_has_several_records():
    pytest.importorskip("matplotlib")
    for epochs, label in (([1, 1], "step"), ([1, 2], "epoch")):
        figure = lamina.plot.curves({"epoch": epochs, "step": [5, 10], "loss": [2.0, 1.0]})
        assert figure.axes[0].get_xlabel() == label
