"""Sound: WAV files whole and hostile, transforms against PyTorch, mel scales and cepstra against their formulas."""

from __future__ import annotations

import hashlib
import math
import os
import struct
import sys
import time

import lamina
import numpy as np
import pytest
from conftest import needs_torch, torch
from harness import to_numpy
from hypothesis import given, settings
from hypothesis import strategies as st
from lamina import audio
from lamina.vision import sample_seeds
from processes import ok

ENCODINGS = ["pcm8", "pcm16", "pcm24", "pcm32", "float32", "float64"]


def noise(*shape, dtype="float64", seed=0):
    return lamina.tensor(np.random.default_rng(seed).uniform(-1, 1, shape).astype(dtype))


# -- WAV --------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("encoding", ENCODINGS)
@given(channels=st.integers(1, 5), frames=st.integers(0, 40), rate=st.integers(1, 2**31 - 1), seed=st.integers(0, 99))
@settings(max_examples=20, deadline=None)
def test_wav_round_trip(tmp_path_factory, encoding, channels, frames, rate, seed):
    path = tmp_path_factory.getbasetemp() / f"{encoding}.wav"
    x = noise(channels, frames, seed=seed)
    audio.write_wav(path, x, rate, encoding)
    back, got = audio.read_wav(path, lamina.float64)
    assert got == rate and back.shape == (channels, frames)
    bits = {"float32": 25, "float64": 60}.get(encoding) or int(encoding[3:])
    assert np.abs(to_numpy(back) - to_numpy(x)).max(initial=0) <= 2.0 ** -(bits - 1)
    first = path.read_bytes()
    audio.write_wav(path, back, rate, encoding)
    assert path.read_bytes() == first  # what was read is written with the same bits
    assert audio.read_wav(path)[0].dtype == lamina.float32


@pytest.mark.parametrize(("encoding", "width"), [("pcm8", 1), ("pcm16", 2), ("pcm24", 3), ("pcm32", 4)])
def test_wav_is_the_standard_librarys(tmp_path, encoding, width):
    import wave

    x = noise(2, 31)
    audio.write_wav(tmp_path / "a.wav", x, 22050, encoding)
    with wave.open(str(tmp_path / "a.wav")) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (2, width, 22050)
        raw = file.readframes(31)
    with wave.open(str(tmp_path / "b.wav"), "wb") as file:
        file.setparams((2, width, 22050, 31, "NONE", ""))
        file.writeframes(raw)
    a, b = audio.read_wav(tmp_path / "a.wav"), audio.read_wav(tmp_path / "b.wav")
    assert a[1] == b[1] and (to_numpy(a[0]) == to_numpy(b[0])).all()


def test_wav_extremes(tmp_path):
    loud = lamina.tensor([-3.0, -1.0, 1.0, 3.0, math.inf])
    for encoding in ("pcm8", "pcm16", "pcm24", "pcm32"):
        audio.write_wav(tmp_path / "a.wav", loud, 8000, encoding)
        top = 1 - 2.0 ** -(int(encoding[3:]) - 1)
        assert audio.read_wav(tmp_path / "a.wav", lamina.float64)[0].tolist() == [[-1, -1, top, top, top]]
    audio.write_wav(tmp_path / "a.wav", loud, 8000, "float32")
    assert audio.read_wav(tmp_path / "a.wav")[0].tolist() == [[-3, -1, 1, 3, math.inf]]


def wav(fmt=None, data=b"\0" * 8, extra=b"", size=None, form=1, channels=1, bits=16):
    fmt = struct.pack("<HHIIHH", form, channels, 8000, 16000, channels * bits // 8, bits) if fmt is None else fmt
    chunk = b"data" + struct.pack("<I", len(data) if size is None else size) + data
    body = b"WAVEfmt " + struct.pack("<I", len(fmt)) + fmt + extra + chunk
    return b"RIFF" + struct.pack("<I", len(body)) + body


def test_wav_of_other_writers(tmp_path):
    path = tmp_path / "a.wav"
    path.write_bytes(wav(data=struct.pack("<4h", 1, 2, 3, -4), extra=b"LIST\3\0\0\0abc\0"))
    assert (audio.read_wav(path)[0] * 32768).tolist() == [[1, 2, 3, -4]]
    guid = struct.pack("<H", 3) + bytes.fromhex("000000001000800000aa00389b71")
    fmt = struct.pack("<HHIIHHHHI", 0xFFFE, 2, 8000, 64000, 8, 32, 22, 32, 3) + guid
    path.write_bytes(wav(fmt, struct.pack("<4f", 1, 2, 3, 4)))
    assert audio.read_wav(path)[0].tolist() == [[1, 3], [2, 4]]


@pytest.mark.parametrize("size", [0xFFFFFFFF, 0x7FFFF000, 0x7FFFEFE8, 0xFFFFFFD3, 0])
@pytest.mark.parametrize("tail", [b"", b"\1"])  # of a writer that was stopped in a frame
def test_wav_of_a_pipe(tmp_path, size, tail):
    fmt = struct.pack("<HHIIHH", 1, 2, 8000, 32000, 4, 16)
    head = b"RIFF" + struct.pack("<I", size) + b"WAVEfmt " + struct.pack("<I", 16) + fmt
    data = struct.pack("<4h", 0, 16384, -32768, 8192)
    (tmp_path / "a.wav").write_bytes(head + b"data" + struct.pack("<I", size) + data + tail)
    samples, rate = audio.read_wav(tmp_path / "a.wav")
    assert samples.tolist() == [[0, -1], [0.5, 0.25]] and rate == 8000


def test_wav_without_sound_is_no_stream(tmp_path):
    path = tmp_path / "a.wav"
    fmt = struct.pack("<HHIIHH", 1, 1, 8000, 16000, 2, 16)
    body = b"WAVEfmt " + struct.pack("<I", 16) + fmt + b"data\0\0\0\0LIST\2\0\0\0ab"
    path.write_bytes(b"RIFF" + struct.pack("<I", len(body)) + body)
    assert audio.read_wav(path)[0].shape == (1, 0)


HOSTILE = {
    "empty": b"",
    "text": b"hello, this is no sound at all",
    "big endian": b"RIFX" + wav()[4:],
    "avi": wav()[:8] + b"AVI " + wav()[12:],
    "header alone": wav()[:12],
    "cut in format": wav()[:30],
    "cut in data": wav()[:-1],
    "huge data": wav(size=0x7FFF0000),
    "huge chunk": wav(extra=b"junk\xff\xff\xff\x7f"),
    "no data": wav()[: -8 - 8],
    "data first": b"RIFF\0\0\0\0WAVEdata\4\0\0\0abcd" + wav()[12:],
    "half a frame": wav(data=b"\0" * 7),
    "short format": wav(fmt=b"\1\0\1\0"),
    "no channels": wav(channels=0),
    "mp3": wav(form=85),
    "mu-law": wav(form=7, bits=8),
    "12 bits": wav(bits=12),
    "float of 16 bits": wav(form=3),
    "wrong frame": wav(fmt=struct.pack("<HHIIHH", 1, 2, 8000, 16000, 2, 16)),
    "no rate": wav(fmt=struct.pack("<HHIIHH", 1, 1, 0, 0, 2, 16)),
    "strange guid": wav(fmt=struct.pack("<HHIIHHHHI", 0xFFFE, 1, 8000, 16000, 2, 16, 22, 16, 1) + b"\1" * 16),
    "many empty chunks": b"RIFF\0\0\0\0WAVE" + b"junk\0\0\0\0" * 50000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_wav(tmp_path, name):
    path = tmp_path / "a.wav"
    path.write_bytes(HOSTILE[name])
    start = time.perf_counter()
    with pytest.raises(lamina.FileError, match=r"a\.wav"):
        audio.read_wav(path)
    assert time.perf_counter() - start < 2


@given(st.binary(max_size=80), st.integers(0, 60), st.binary(max_size=4))
@settings(max_examples=150, deadline=None)
def test_damaged_wav_never_crashes(tmp_path_factory, tail, place, bytes_):
    path = tmp_path_factory.getbasetemp() / "fuzz.wav"
    content = bytearray(wav() + tail)
    content[place : place + len(bytes_)] = bytes_
    path.write_bytes(content)
    try:
        x, rate = audio.read_wav(path)
    except lamina.FileError:
        return
    assert x.dim() == 2 and rate > 0


def test_wav_errors(tmp_path):
    path = tmp_path / "a.wav"
    for make, error, word in [
        (lambda: audio.read_wav(tmp_path / "none.wav"), lamina.FileError, "none.wav"),
        (lambda: audio.read_wav(tmp_path), lamina.FileError, "cannot be read"),
        (lambda: audio.read_wav(path, lamina.int16), lamina.DtypeError, "float32"),
        (lambda: audio.write_wav(path, noise(3), 8000, "mp3"), ValueError, "encoding"),
        (lambda: audio.write_wav(path, noise(3), 0), ValueError, "sample_rate"),
        (lambda: audio.write_wav(path, noise(3, 2, 2), 8000), lamina.ShapeError, "channels"),
        (lambda: audio.write_wav(path, noise(30000, 1), 8000, "float64"), lamina.ShapeError, "channels"),
        (lambda: audio.write_wav(path, lamina.tensor([math.nan]), 8000), ValueError, "NaN"),
        (lambda: audio.write_wav(tmp_path / "no" / "a.wav", noise(3), 8000), lamina.FileError, "written"),
    ]:
        with pytest.raises(error, match=word):
            make()
    assert list(tmp_path.iterdir()) == []


# -- Fourier transforms -----------------------------------------------------------------------------------------------
@needs_torch
@pytest.mark.parametrize("name", ["hann", "hamming", "blackman", "bartlett"])
def test_windows_are_pytorchs(name):
    for n in (0, 1, 2, 7, 400):
        for periodic in (True, False):
            got = getattr(audio, f"{name}_window")(n, periodic, dtype=lamina.float64)
            want = getattr(torch, f"{name}_window")(n, periodic=periodic, dtype=torch.float64)
            assert np.allclose(to_numpy(got), want.numpy(), atol=1e-15, rtol=0)


STFTS = [
    dict(n_fft=16),
    dict(n_fft=16, hop_length=5, center=False),
    dict(n_fft=20, hop_length=4, win_length=13, window=True, normalized=True),
    dict(n_fft=15, hop_length=3, window=True, pad_mode="constant"),
    dict(n_fft=16, window=True, onesided=False, pad_mode="replicate"),
    dict(n_fft=1, hop_length=1),
]


def _both(kwargs):
    """The arguments for lamina and for PyTorch."""
    ours, theirs = dict(kwargs), dict(kwargs)
    if kwargs.get("window"):
        n = kwargs.get("win_length", kwargs["n_fft"])
        ours["window"] = audio.hann_window(n, dtype=lamina.float64) + 0.1
        theirs["window"] = torch.hann_window(n, dtype=torch.float64) + 0.1
    return ours, theirs


@needs_torch
@pytest.mark.parametrize("kwargs", STFTS, ids=str)
def test_stft_is_pytorchs(kwargs):
    ours, theirs = _both(kwargs)
    for shape in ((60,), (3, 61)):
        x = noise(*shape)
        want = torch.view_as_real(torch.stft(torch.tensor(to_numpy(x)), return_complex=True, **theirs)).numpy()
        got = to_numpy(audio.stft(x, **ours))
        assert got.shape == want.shape and np.abs(got - want).max() < 1e-12
        f32 = {k: v.float() if isinstance(v, lamina.Tensor) else v for k, v in ours.items()}
        assert np.abs(to_numpy(audio.stft(x.float(), **f32)) - want).max() < 1e-5


@needs_torch
@pytest.mark.parametrize("kwargs", STFTS[:-1], ids=str)
@pytest.mark.parametrize("length", [None, 50, 70])
def test_istft_is_pytorchs(kwargs, length):
    ours, theirs = (dict(k) for k in _both(kwargs))
    spectrum = torch.stft(torch.tensor(to_numpy(noise(2, 60))), return_complex=True, **theirs)
    spectrum = (
        spectrum + 0.1 * torch.randn(spectrum.shape, generator=torch.Generator().manual_seed(0))
        if (kwargs.get("onesided") is not False)
        else spectrum
    )
    for k in (ours, theirs):
        k.pop("pad_mode", None)
    parts = lamina.tensor(torch.view_as_real(spectrum).numpy())
    try:
        want = torch.istft(spectrum, length=length, **theirs).numpy()
    except RuntimeError:
        with pytest.raises(ValueError, match="gaps"):
            audio.istft(parts, length=length, **ours)
        return
    got = to_numpy(audio.istft(parts, length=length, **ours))
    assert got.shape == want.shape and np.abs(got - want).max() < 1e-12


@given(st.integers(2, 40), st.integers(1, 5), st.booleans(), st.integers(0, 99))
@settings(max_examples=40, deadline=None)
def test_istft_undoes_stft(n_fft, parts, normalized, seed):
    x = noise(2, 90, seed=seed)
    args = dict(hop_length=max(1, n_fft // (parts + 1)), normalized=normalized)
    window = audio.hamming_window(n_fft, dtype=lamina.float64)
    spectrum = audio.stft(x, n_fft, window=window, **args)
    back = audio.istft(spectrum, n_fft, window=window, length=90, **args)
    covered = (spectrum.shape[2] - 1) * args["hop_length"] + n_fft - n_fft // 2
    assert np.abs(to_numpy(back - x))[:, : min(90, covered)].max() < 1e-12


def test_stft_of_a_batch_is_that_of_its_signals():
    x, window = noise(5, 400, dtype="float32"), audio.hann_window(64)
    together = audio.stft(x, 64, 16, window=window)
    for i in range(5):
        assert to_numpy(audio.stft(x[i], 64, 16, window=window)).tobytes() == to_numpy(together[i]).tobytes()
    assert (
        to_numpy(audio.stft(x[:, :200], 64, 16, center=False)).tobytes()
        == to_numpy(audio.stft(x, 64, 16, center=False)[:, :, : (200 - 64) // 16 + 1]).tobytes()
    )


def test_gradients():
    from lamina.autograd import gradcheck, gradgradcheck

    x = noise(2, 14).requires_grad_()
    window = audio.hamming_window(6, dtype=lamina.float64)
    assert gradcheck(lambda x: audio.stft(x, 6, 2, window=window), (x,))
    assert gradgradcheck(lambda x: audio.stft(x, 6, 2, window=window).square(), (x,))
    spectrum = audio.stft(x, 6, 2, window=window).detach().requires_grad_()
    assert gradcheck(lambda s: audio.istft(s, 6, 2, window=window), (spectrum,))
    mel = audio.MelSpectrogram(100, n_fft=8, n_mels=3).double()
    assert gradcheck(mel, (noise(20).requires_grad_(),))
    assert gradcheck(lambda x: audio.resample(x, 3, 2), (noise(9).requires_grad_(),))
    cepstra = audio.MFCC(100, 3, log_mels=True, melkwargs={"n_fft": 8, "n_mels": 3}).double()
    assert gradcheck(cepstra, (noise(20).requires_grad_(),))
    silence = lamina.zeros(64, requires_grad=True)
    audio.Spectrogram(16, power=1.0)(silence).sum().backward()
    assert bool((silence.grad == 0).all())


def test_bases_made_in_inference_mode_serve_training():
    with lamina.inference_mode():
        audio.stft(lamina.zeros(90), 34)
        audio.resample(lamina.zeros(90), 17, 13)
    x = lamina.zeros(90, requires_grad=True)
    (audio.stft(x, 34).sum() + audio.resample(x, 17, 13).sum()).backward()
    assert x.grad is not None


# -- spectrograms, mel scales, cepstra --------------------------------------------------------------------------------
def numpy_power(x, n_fft, hop):
    frames = np.pad(x, n_fft // 2, mode="reflect")
    frames = np.stack([frames[i : i + n_fft] for i in range(0, len(frames) - n_fft + 1, hop)], 1)
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(n_fft) / n_fft)
    return np.abs(np.fft.rfft(frames * window[:, None], axis=0)) ** 2


def numpy_filters(n_freqs, f_min, f_max, n_mels, rate, norm, scale):
    def mel(f):
        if scale == "htk":
            return 2595 * np.log10(1 + f / 700)
        return np.where(f < 1000, f * 3 / 200, 15 + 27 * np.log(np.maximum(f, 1e-9) / 1000) / np.log(6.4))

    edges = np.interp(
        np.linspace(mel(f_min), mel(f_max), n_mels + 2),
        mel(np.linspace(0, rate, 2000001)),
        np.linspace(0, rate, 2000001),
    )
    bank = np.zeros((n_freqs, n_mels))
    for m in range(n_mels):
        a, b, c = edges[m : m + 3]
        for k, f in enumerate(np.linspace(0, rate // 2, n_freqs)):
            bank[k, m] = max(0.0, min((f - a) / (b - a), (c - f) / (c - b)))
        if norm:
            bank[:, m] *= 2 / (c - a)
    return bank


@pytest.mark.parametrize("scale", ["htk", "slaney"])
@pytest.mark.parametrize("norm", [None, "slaney"])
def test_mel_filters_are_their_formula(scale, norm):
    args = (129, 50.0, 3500.0, 20, 8000, norm, scale)
    assert np.abs(to_numpy(audio.melscale_fbanks(*args)) - numpy_filters(*args)).max() < 1e-5
    for f in (0.0, 440.0, 999.0, 1000.0, 5000.0):
        assert abs(audio.mel_to_hz(audio.hz_to_mel(f, scale), scale) - f) < 1e-9
    assert abs(audio.hz_to_mel(1000.0) - 999.9855) < 1e-3
    with pytest.warns(UserWarning, match="filters"):
        audio.melscale_fbanks(17, 0.0, 8000.0, 60, 16000)


def test_spectrograms_are_numpys():
    x = noise(3, 1000)
    a = to_numpy(x)
    power = np.stack([numpy_power(row, 128, 50) for row in a])
    got = audio.Spectrogram(128, hop_length=50).double()(x.reshape(3, 1, 1000))
    assert got.shape == (3, 1, 65, 21) and np.abs(to_numpy(got)[:, 0] - power).max() < 1e-5 * power.max()
    args = {"n_fft": 128, "hop_length": 50, "n_mels": 16}
    mel = np.einsum("nft,fm->nmt", power, numpy_filters(65, 0, 4000, 16, 8000, None, "htk"))
    assert np.allclose(to_numpy(audio.MelSpectrogram(8000, **args).double()(x)), mel, rtol=1e-4, atol=1e-5)
    level = 10 * np.log10(np.maximum(mel, 1e-10))
    level = np.maximum(level, level.max() - 80)
    k, n = np.meshgrid(np.arange(10), np.arange(16), indexing="ij")
    dct = np.cos(np.pi * k * (2 * n + 1) / 32) * np.sqrt(np.where(k == 0, 1, 2) / 16)
    cepstra = np.einsum("nmt,km->nkt", level, dct)
    got = audio.MFCC(8000, 10, melkwargs=args).double()(x)
    assert np.abs(to_numpy(got) - cepstra).max() < 1e-2
    for normalized, factor in [
        (True, (0.375 * 128) ** 0.5),
        ("window", (0.375 * 128) ** 0.5),
        ("frame_length", 128**0.5),
    ]:
        got = audio.Spectrogram(128, hop_length=50, normalized=normalized, power=1.0).double()(x)
        assert np.allclose(to_numpy(got), power**0.5 / factor, atol=1e-5)
    parts = audio.Spectrogram(128, hop_length=50, power=None).double()(x)
    assert np.allclose(to_numpy(parts.square().sum(-1)), power, rtol=1e-4, atol=1e-5)


def test_decibels():
    x = lamina.tensor([[1.0, 1e-3, 0.0]]).reshape(1, 1, 3)
    assert np.allclose(to_numpy(audio.AmplitudeToDB()(x))[0, 0], [0, -30, -100], atol=1e-4)
    assert np.allclose(to_numpy(audio.AmplitudeToDB("magnitude", 70.0)(x))[0, 0], [0, -60, -70], atol=1e-4)
    batch = lamina.cat([x, x * 100]).unsqueeze(1)
    limited = to_numpy(audio.AmplitudeToDB(top_db=40.0)(batch))
    assert np.allclose(limited[0, 0, 0], [0, -30, -40], atol=1e-4)
    assert np.allclose(limited[1, 0, 0], [20, -10, -20], atol=1e-4)


# -- masking, resampling, tones ---------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "make",
    [
        lambda: audio.TimeMasking(9, p=0.8),
        lambda: audio.FrequencyMasking(5, mask_value=-1.0),
        lambda: audio.SpecAugment(2, 6, 1, 4),
    ],
)
def test_masks_belong_to_the_sample(make):
    t, x = make(), noise(12, 2, 16, 30, dtype="float32") + 3
    seeds = sample_seeds(1, 0, range(12))
    out = t(x, seeds)
    for i in range(12):
        assert to_numpy(t(x[i], seeds[i])).tobytes() == to_numpy(out[i]).tobytes()
    assert bool((out != x).any())


@given(st.integers(0, 40), st.integers(0, 2**64 - 1), st.booleans())
@settings(max_examples=50, deadline=None)
def test_masks_are_short_runs(width, seed, over_time):
    x = lamina.ones(1, 20, 30)
    out = (audio.TimeMasking(width) if over_time else audio.FrequencyMasking(width))(x, seed)
    line = to_numpy(out[0, 0] if over_time else out[0, :, 0])
    assert (to_numpy(out[0]) == (line if over_time else line[:, None])).all()
    gone = np.nonzero(line == 0)[0]
    assert len(gone) <= width and (len(gone) == 0 or np.ptp(gone) + 1 == len(gone))


def test_mask_widths_are_even():
    widths = (audio.TimeMasking(4)(lamina.ones(4000, 1, 1, 10), sample_seeds(0, 0, range(4000))) == 0).sum((1, 2, 3))
    counts = lamina.bincount(widths, minlength=5).tolist()
    assert counts[4] == 0 and all(abs(c - 1000) < 120 for c in counts[:4])


@pytest.mark.parametrize(("old", "new"), [(44100, 16000), (16000, 44100), (3, 2), (1, 2), (8000, 8000)])
def test_resampled_sines_are_sines(old, new):
    seconds, pitch = (0.2, 0.11 * min(old, new)) if old > 100 else (200, 0.2)
    i = np.arange(round(seconds * old))
    x = lamina.tensor(np.sin(2 * np.pi * pitch * i / old))
    y = audio.resample(x, old, new)
    assert len(y) == math.ceil(len(i) * new / old)
    want = np.sin(2 * np.pi * pitch * np.arange(len(y)) / new)
    edge = len(y) // 8
    assert np.abs(to_numpy(y) - want)[edge:-edge].max() < 6e-3
    high = lamina.tensor(np.sin(2 * np.pi * 0.5 * 0.95 * i))
    if new < 0.7 * old:
        assert audio.resample(high, old, new)[edge:-edge].abs().max().item() < 0.02


def test_resampling_is_its_formula():
    x = np.random.default_rng(0).standard_normal(40)
    got = to_numpy(audio.Resample(5, 3)(lamina.tensor(x)))
    cutoff = 3 * 0.99 / 5
    for j in range(len(got)):
        t = np.clip((np.arange(40) - j * 5 / 3) * cutoff, -6, 6)
        assert abs(got[j] - (x * np.sinc(t) * np.cos(t * np.pi / 12) ** 2 * cutoff).sum()) < 1e-12
    assert audio.Resample(5, 3)(lamina.zeros(2, 3, 10)).shape == (2, 3, 6)
    assert audio.resample(lamina.zeros(2, 0), 5, 3).shape == (2, 0)


def test_keys_can_be_heard():
    keys = "0123456789*#ABCD"
    parts = audio.dtmf(keys, pause=0.0).reshape(16, 800)
    power = audio.stft(parts, 800, 800, center=False).square().sum(-1)[:, :, 0]  # bins of 10 Hz
    for key, row in zip(keys, power, strict=True):
        low, high = (10 * (int(row[lo:hi].argmax().item()) + lo) for lo, hi in ((60, 105), (110, 170)))
        assert all(abs(a - b) <= 5 for a, b in zip((low, high), audio.DTMF_FREQUENCIES[key], strict=True))
    assert audio.tone(440, 1.0, 8000).abs().max().item() <= 0.5


@pytest.mark.parametrize(
    ("make", "error", "word"),
    [
        (lambda: audio.stft(noise(8), 16), lamina.ShapeError, "signal|longer"),
        (lambda: audio.stft(noise(10), 16, center=False), lamina.ShapeError, "longer than"),
        (lambda: audio.stft(noise(10), 0), ValueError, "positive"),
        (lambda: audio.stft(noise(10), 4, 0), ValueError, "hop_length"),
        (lambda: audio.stft(noise(10), 4, win_length=5), ValueError, "win_length"),
        (lambda: audio.stft(noise(10), 4, window=noise(3)), lamina.ShapeError, "window"),
        (lambda: audio.stft(noise(10), 4, return_complex=True), ValueError, "complex"),
        (lambda: audio.stft(noise(2, 2, 10), 4), lamina.ShapeError, "stft"),
        (lambda: audio.istft(noise(3, 5, 2), 8), lamina.ShapeError, "bins"),
        (lambda: audio.istft(noise(5, 3, 2), 8, window=lamina.zeros(8)), ValueError, "gaps"),
        (lambda: audio.MelScale()(noise(5, 3)), lamina.ShapeError, "201"),
        (lambda: audio.MelScale(norm="area"), ValueError, "slaney"),
        (lambda: audio.MelScale(mel_scale="bark"), ValueError, "htk"),
        (lambda: audio.MelScale(f_min=9000.0), ValueError, "f_min"),
        (lambda: audio.Spectrogram(normalized="no"), ValueError, "normalized"),
        (lambda: audio.Spectrogram(8, win_length=9), ValueError, "win_length"),
        (lambda: audio.MFCC(n_mfcc=200), ValueError, "n_mfcc"),
        (lambda: audio.AmplitudeToDB("loud"), ValueError, "stype"),
        (lambda: audio.TimeMasking(-1), ValueError, "TimeMasking"),
        (lambda: audio.SpecAugment(1, 2, 3, -4), ValueError, "SpecAugment"),
        (lambda: audio.Resample(0, 1), ValueError, "orig_freq"),
        (lambda: audio.resample(lamina.arange(3), 1, 2), lamina.ShapeError, "floats"),
        (lambda: audio.dtmf("1E"), ValueError, "keys"),
        (lambda: audio.tone(-1.0, 1), ValueError, "frequency"),
    ],
)
def test_wrong_arguments(make, error, word):
    with pytest.raises(error, match=word):
        make()


def test_transforms_are_found_where_pytorch_has_them():
    assert lamina.stft is audio.stft and lamina.istft is audio.istft and lamina.hann_window is audio.hann_window


def digest():
    h, x, window = hashlib.sha256(), noise(2, 3000, dtype="float32"), audio.hann_window(300)
    parts = audio.stft(x, 300, window=window)
    cepstra = audio.MFCC(8000, 13, melkwargs={"n_mels": 40, "norm": "slaney", "mel_scale": "slaney"})(x)
    sounds = (audio.istft(parts, 300, window=window), audio.resample(x, 44100, 16000), audio.dtmf("5#"))
    for t in (parts, cepstra, *sounds):
        h.update(to_numpy(t).tobytes())
    return h.hexdigest()


@pytest.mark.slow
def test_every_instruction_set_gives_the_same_bits():
    path = os.pathsep.join([os.path.dirname(__file__), *sys.path])
    code = "from test_audio import digest\nprint(digest())"
    assert ok(code, LAMINA_ISA="base", PYTHONPATH=path).strip() == digest()
