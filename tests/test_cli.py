"""The `lamina` command as a user runs it: a process of its own."""

import gzip
import json
import os
import re
import shlex
import signal
import struct
import subprocess
import sys
import time

import lamina
import numpy as np
import pytest
from lamina import cli, serialization


def run(*args, cwd=None, **env):
    return subprocess.run(
        [sys.executable, "-m", "lamina", *map(str, args)],
        capture_output=True,
        text=True,
        cwd=cwd,
        env={**os.environ, **env},
        timeout=900,
    )


def idx(path, array):
    head = bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    content = head + array.astype(np.uint8).tobytes()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A short training run of the mlp: (folder, finished process)."""
    folder = tmp_path_factory.mktemp("mlp")
    done = run("train", "mlp", "--epochs", 5, "--threads", 1, "--out", folder)
    assert done.returncode == 0, done.stderr
    return folder, done


@pytest.mark.slow
@pytest.mark.parametrize("model,bar", [("mlp", 97.0), ("cnn", 98.5)])
def test_main_job_reaches_the_accuracy(tmp_path, model, bar):
    begin, before = time.perf_counter(), os.times()
    done = run("train", model, "--data", "digits", "--out", tmp_path)
    after = os.times()
    used = after.children_user + after.children_system - before.children_user - before.children_system
    seconds = min(time.perf_counter() - begin, used)  # a machine that is busy elsewhere is not the program's fault
    assert done.returncode == 0, done.stderr
    accuracy = float(re.search(r"held-out accuracy ([\d.]+)%", done.stdout)[1])
    assert accuracy >= bar and seconds < 60, (accuracy, seconds)


def test_train_prints_and_saves(trained):
    folder, done = trained
    lines = [line for line in done.stdout.splitlines() if line.startswith("epoch")]
    number = r"\d\.\d{4}"
    form = rf"epoch \d/5  loss {number}  accuracy {number}  val_loss {number}  val_accuracy {number}  lr \S+  [\d.]+ s"
    assert len(lines) == 5 and all(re.fullmatch(form, line) for line in lines), lines
    assert "confusion matrix" in done.stdout and "360 held out" in done.stdout
    matrix = [
        re.findall(r"[\d.]+", line.split("|")[1]) for line in done.stdout.splitlines() if re.match(r" +\d \|", line)
    ]
    counts = np.array([[0 if cell == "." else int(cell) for cell in row] for row in matrix])
    assert counts.shape == (10, 10) and counts.sum() == 360
    accuracy = float(re.search(r"held-out accuracy ([\d.]+)%", done.stdout)[1])
    assert accuracy == pytest.approx(100 * counts.trace() / 360, abs=0.005) and accuracy > 85
    tensors, metadata = serialization.load_with_metadata(folder / "model.safetensors")
    recipe = json.loads(metadata["lamina.recipe"])
    assert recipe["model"] == "mlp" and recipe["config"]["hidden"] == [256, 128] and "model.head.weight" in tensors


def test_train_draws_the_curves(trained):
    pytest.importorskip("matplotlib")
    content = (trained[0] / "curves.png").read_bytes()
    assert content.startswith(b"\x89PNG") and len(content) > 10_000
    assert (trained[0] / "confusion.png").read_bytes().startswith(b"\x89PNG")


def levels():
    """The SIMD levels that this build and CPU have."""
    return [isa for isa in ("avx2", "avx512") if run("info", LAMINA_ISA=isa).returncode == 0] or [lamina.simd_level()]


def test_trained_weights_do_not_depend_on_threads_or_simd_level(tmp_path):
    for model in ("mlp", "cnn"):
        weights = set()
        for isa in levels():
            for threads in (1, 2, 4):
                args = ("train", model, "--epochs", 1, "--batch", 256, "--threads", threads, "--out", tmp_path)
                done = run(*args, LAMINA_ISA=isa)
                assert done.returncode == 0, done.stderr
                weights.add((tmp_path / "model.safetensors").read_bytes())
        assert len(weights) == 1, model


def test_predict(trained, tmp_path):
    folder, _ = trained
    out = tmp_path / "p.csv"
    done = run("predict", folder / "model.safetensors", "--data", "digits", "--show", 3, "--csv", out)
    assert done.returncode == 0, done.stderr
    assert len(re.findall(r"^row \d+: \d \([\d.]+%\)  label \d", done.stdout, re.M)) == 3
    right = int(re.search(r"accuracy [\d.]+% \(([\d,]+) of 1,797; most", done.stdout)[1].replace(",", ""))
    assert right > 1600
    rows = out.read_text().splitlines()
    assert rows[0] == "row,predicted,probability" and len(rows) == 1798
    _, y = lamina.datasets.digits()
    assert sum(int(r.split(",")[1]) == t for r, t in zip(rows[1:], y.tolist(), strict=True)) == right
    assert "confusion matrix" in done.stdout


def test_train_and_predict_idx_pair(tmp_path):
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 120) * 2 + 3  # classes 3, 5, 7
    images = np.zeros((120, 6, 5), np.uint8)
    for i, label in enumerate(labels):
        images[i, label - 2] = 200 + rng.integers(0, 55)
    x, y = idx(tmp_path / "images.gz", images), idx(tmp_path / "labels", labels)
    done = run("train", "cnn", "--data", y, x, "--epochs", 4, "--out", tmp_path)
    assert done.returncode == 0, done.stderr
    assert "held-out accuracy 100.00%" in done.stdout
    done = run("predict", "--data", x, cwd=tmp_path)  # model.safetensors of the current folder, no labels
    assert done.returncode == 0 and f"row 0: {labels[0]} " in done.stdout and "confusion" not in done.stdout
    test = run("train", "mlp", "--data", x, y, "--test", x, y, "--epochs", 2, "--out", tmp_path / "deep" / "er")
    assert "120 rows to train on, 120 held out" in test.stdout and (tmp_path / "deep/er/model.safetensors").exists()


def test_train_csv(tmp_path):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(600, 3)) * [1, 100, 1e-3] + [5, -700, 0]
    y = (x[:, 1] > -700).astype(int)
    rows = ["a,kind,b,c", *(f"{a},{k},{b},{c}" for (a, b, c), k in zip(x.tolist(), y.tolist(), strict=True))]
    path = tmp_path / "table.csv"
    path.write_text("\n".join(rows))
    done = run("train", "mlp", "--data", path, "--target", "kind", "--epochs", 20, "--lr", 0.01, "--out", tmp_path)
    assert done.returncode == 0, done.stderr
    assert float(re.search(r"held-out accuracy ([\d.]+)%", done.stdout)[1]) >= 95
    done = run("predict", tmp_path / "model.safetensors", "--data", path, "--target", "kind")
    assert done.returncode == 0 and "of 600" in done.stdout


def test_info():
    done = run("info")
    assert done.returncode == 0 and lamina.__version__ in done.stdout
    assert "SIMD" in done.stdout and "threads" in done.stdout and "cpu" in done.stdout and "cuda" in done.stdout


def test_help_and_version():
    assert "train" in run("--help").stdout and run("--version").stdout.strip() == f"lamina {lamina.__version__}"
    for command in ("train", "predict", "train mlp", "train cnn", "train lstm", "train gan", "train autoencoder"):
        done = run(*command.split(), "--help")
        assert done.returncode == 0 and "--data" in done.stdout and "SUPPRESS" not in done.stdout
        assert f"example: lamina {command.split()[0]} " in " ".join(done.stdout.split())
    for command in ("generate", "summary", "info"):
        done = run(command, "--help")
        assert done.returncode == 0 and f"example: lamina {command}" in done.stdout


BAD = [
    (),
    ("fly",),
    ("train",),
    ("train", "rnn"),
    ("train", "mlp", "--epochs", "0"),
    ("train", "mlp", "--epochs", "many"),
    ("train", "mlp", "--batch", "-3"),
    ("train", "mlp", "--lr", "nan"),
    ("train", "mlp", "--lr", "-1"),
    ("train", "mlp", "--seed", "-1"),
    ("train", "mlp", "--threads", "0"),
    ("train", "mlp", "--data", "nowhere"),
    ("train", "mlp", "--data", "nowhere.csv"),
    ("train", "mlp", "--data", "a", "b", "c"),
    ("train", "mlp", "--data", "notes.txt"),
    ("train", "mlp", "--data", "broken.gz"),
    ("train", "mlp", "--data", "labels", "labels"),
    ("train", "mlp", "--data", "images"),
    ("train", "mlp", "--data", "images", "labels"),
    ("train", "mlp", "--data", "one.csv"),
    ("train", "mlp", "--data", "tiny.csv"),
    ("train", "mlp", "--data", "good.csv", "--target", "colour"),
    ("train", "mlp", "--data", "good.csv", "--target", "none"),
    ("train", "mlp", "--data", "good.csv", "--test", "labels"),
    ("train", "cnn", "--data", "good.csv"),
    ("train", "mlp", "--epochs", "1", "--out", "notes.txt"),
    ("train", "mlp", "--hidden", "12,none"),
    ("train", "mlp", "--resume", "nowhere.safetensors"),
    ("train", "mlp", "--resume", "model.safetensors"),
    ("train", "mlp", "--epochs", "1", "--checkpoint-every", "often"),
    ("train", "mlp", "--epochs", "1", "--log", "course.xlsx"),
    ("train", "mlp", "--data", "good.csv", "--augment"),
    ("train", "lstm", "--data", "nowhere.txt"),
    ("train", "lstm", "--data", "broken.gz"),
    ("train", "lstm", "--data", "notes.txt"),
    ("train", "lstm", "--cell", "gpt"),
    ("train", "transformer", "--heads", "3", "--steps", "1"),
    ("train", "autoencoder", "--anomaly", "12"),
    ("train", "autoencoder", "--data", "good.csv", "--kind", "conv"),
    ("train", "autoencoder", "--data", "good.csv", "--target", "none", "--anomaly", "1"),
    ("train", "gan", "--data", "good.csv"),
    ("train", "gan", "--data", "images", "--kind", "dcgan"),
    ("generate",),
    ("generate", "notes.txt"),
    ("generate", "model.safetensors"),
    ("generate", "model.safetensors", "--top-p", "1.5"),
    ("summary",),
    ("summary", "resnet19"),
    ("summary", "mlp", "--input", "1,65"),
    ("summary", "unet", "--input", "wide"),
    ("summary", "nowhere.safetensors"),
    ("predict",),
    ("predict", "nowhere.safetensors"),
    ("predict", "notes.txt"),
    ("predict", "other.safetensors"),
    ("predict", "model.safetensors", "--data", "good.csv"),
]


@pytest.fixture(scope="module")
def mess(tmp_path_factory, trained):
    """A folder of files that are wrong in one way each."""
    folder = tmp_path_factory.mktemp("mess")
    (folder / "notes.txt").write_text("dear diary, today\nnothing happened")
    (folder / "broken.gz").write_bytes(b"\x1f\x8b\x08\x00broken")
    idx(folder / "images", np.zeros((4, 3, 3)))
    idx(folder / "labels", np.zeros(5))
    (folder / "one.csv").write_text("1,0\n2,0\n3,0\n4,0\n")
    (folder / "tiny.csv").write_text("1,0\n")
    (folder / "good.csv").write_text("a,b,c\n" + "\n".join(f"{i},{i},{i % 2}" for i in range(20)))
    lamina.save({"w": lamina.ones(2)}, folder / "other.safetensors")
    (folder / "model.safetensors").write_bytes((trained[0] / "model.safetensors").read_bytes())
    return folder


@pytest.mark.parametrize("args", BAD, ids=[" ".join(a) or "nothing" for a in BAD])
def test_bad_input_ends_in_one_clear_line(mess, args, monkeypatch, capfd):
    monkeypatch.chdir(mess)
    if args in (("predict",), ("generate",)):
        monkeypatch.chdir(mess.parent)
    status = cli.main(args)
    out, err = capfd.readouterr()
    assert status not in (0, None) and "Traceback" not in err + out
    assert re.match(
        r"lamina(?: train| predict| generate| summary)?(?: [a-z]+)?: error: .{10,}", err.splitlines()[-1]
    ), err
    if status == 1:
        assert len(err.splitlines()) == 1, err


def test_bad_input_in_a_process(tmp_path):
    done = run("train", "mlp", "--data", "nowhere", cwd=tmp_path)
    assert done.returncode == 1 and done.stdout == "" and len(done.stderr.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def interrupted(words, folder, at="epoch"):
    """Runs until a line that begins with `at`, sends Ctrl-C, and gives what stderr says."""
    process = subprocess.Popen(
        [sys.executable, "-m", "lamina", *map(str, words)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    for line in process.stdout:
        if line.startswith(at):
            break
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130 and "Traceback" not in err and "interrupted" in err, err
    assert not (folder / "model.safetensors").exists()
    return err


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_ctrl_c_saves_a_checkpoint_and_says_how_to_go_on(tmp_path):
    words = ("train", "mlp", "--epochs", "100000", "--out", tmp_path)
    err = interrupted(words, tmp_path)
    assert (tmp_path / "checkpoint.safetensors").exists()
    way_on = shlex.split(re.search(r"to go on: (lamina .*)", err)[1])
    assert way_on == ["lamina", *map(str, words), "--resume"]
    assert interrupted(way_on[1:], tmp_path).count("--resume") == 1
    done = run("train", "mlp", "--epochs", 100000, "--lr", 0.1, "--out", tmp_path, "--resume")
    assert done.returncode == 1 and "lr was 0.003 when the run began, now it is 0.1" in done.stderr


def test_pipe_that_closes_early():
    done = subprocess.run(
        f"{sys.executable} -m lamina train mlp --epochs 2 --out /tmp/lamina-pipe-test | head -n 1",
        shell=True,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert "Traceback" not in done.stderr and "Exception" not in done.stderr
