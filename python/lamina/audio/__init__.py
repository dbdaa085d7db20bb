"""Sound: WAV files, Fourier transforms, mel spectrograms, cepstra, masking and resampling, with torchaudio's names."""

from .._augment import Augment, Compose, RandomApply
from .fourier import bartlett_window, blackman_window, hamming_window, hann_window, istft, kaiser_window, stft
from .masking import FrequencyMasking, SpecAugment, TimeMasking
from .signals import DTMF_FREQUENCIES, Resample, dtmf, resample, tone
from .spectra import (
    MFCC,
    AmplitudeToDB,
    MelScale,
    MelSpectrogram,
    Spectrogram,
    create_dct,
    hz_to_mel,
    mel_to_hz,
    melscale_fbanks,
)
from .wav import read_wav, write_wav

__all__ = [
    "DTMF_FREQUENCIES",
    "MFCC",
    "AmplitudeToDB",
    "Augment",
    "Compose",
    "FrequencyMasking",
    "MelScale",
    "MelSpectrogram",
    "RandomApply",
    "Resample",
    "SpecAugment",
    "Spectrogram",
    "TimeMasking",
    "bartlett_window",
    "blackman_window",
    "create_dct",
    "dtmf",
    "hamming_window",
    "hann_window",
    "hz_to_mel",
    "istft",
    "kaiser_window",
    "mel_to_hz",
    "melscale_fbanks",
    "read_wav",
    "resample",
    "stft",
    "tone",
    "write_wav",
]
