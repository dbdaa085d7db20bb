"""Image transforms with torchvision's names, seeded per sample: on (C, H, W) and batches (N, C, H, W), float or uint8."""

from .._augment import Augment, Compose, Lambda, RandomApply, Transform, mix_seed, sample_seeds
from .color import (
    ColorJitter,
    ConvertImageDtype,
    GaussianNoise,
    Grayscale,
    Normalize,
    RandomGrayscale,
    ToFloat,
)
from .erase import Cutout, RandomErasing
from .geometry import (
    CenterCrop,
    Pad,
    RandomCrop,
    RandomHorizontalFlip,
    RandomResizedCrop,
    RandomVerticalFlip,
    Resize,
)
from .mix import CutMix, MixUp
from .warp import RandomAffine, RandomRotation

__all__ = [
    "Augment",
    "CenterCrop",
    "ColorJitter",
    "Compose",
    "ConvertImageDtype",
    "CutMix",
    "Cutout",
    "GaussianNoise",
    "Grayscale",
    "Lambda",
    "MixUp",
    "Normalize",
    "Pad",
    "RandomAffine",
    "RandomApply",
    "RandomCrop",
    "RandomErasing",
    "RandomGrayscale",
    "RandomHorizontalFlip",
    "RandomResizedCrop",
    "RandomRotation",
    "RandomVerticalFlip",
    "Resize",
    "ToFloat",
    "Transform",
    "mix_seed",
    "sample_seeds",
]
