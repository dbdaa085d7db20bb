"""Random transforms seeded per sample, and a dataset that applies them.

A transform draws a fixed count of uniform numbers for each sample from a generator of the sample's own seed, and is a
function of the sample and these numbers. So what a sample becomes never depends on its batch, its place or a worker.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Protocol, cast

import lamina

from . import nn
from ._operands import need_tensors
from .utils.data import Dataset, Subset, TensorDataset

if TYPE_CHECKING:
    from ._C import Tensor

Seeds = Any  # an int for one sample; ints, or an int64 tensor, for a batch
_MASK = 2**64 - 1
_PIECE = 2**21  # values that are transformed together: memory on the way stays small


def mix_seed(seed: int, number: int) -> int:
    """A new 64-bit seed of a seed and a number: SplitMix64 (Steele, Lea and Flood 2014, doi:10.1145/2660193.2660195).

    >>> from lamina.vision import mix_seed
    >>> mix_seed(0, 1) != mix_seed(1, 0)
    True
    """
    z = (seed * 0xD1342543DE82EF95 + (number + 1) * 0x9E3779B97F4A7C15) & _MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
    return z ^ (z >> 31)


def sample_seeds(seed: int, epoch: int, indices: Iterable[int]) -> list[int]:
    """The seeds of samples by their index in a dataset, in one epoch.

    >>> from lamina.vision import sample_seeds
    >>> sample_seeds(0, 2, [7])[0] == sample_seeds(0, 2, range(10))[7]
    True
    """
    base = mix_seed(mix_seed(0, seed), epoch)
    return [mix_seed(base, index) for index in indices]


def uniforms(seeds: Sequence[int], count: int) -> Tensor:
    """`count` float64 numbers in [0, 1) for each seed: (N, count)."""
    if not seeds or not count:
        return lamina.zeros(len(seeds), count, dtype=lamina.float64)
    generator = lamina.Generator()
    rows = [lamina.rand(count, dtype=lamina.float64, generator=generator.manual_seed(s)) for s in seeds]
    return lamina.stack(rows)


def normals(uniform: Tensor, shape: Sequence[int]) -> Tensor:
    """float32 noise of `shape` for each sample, seeded by one of its uniform numbers (N): (N, *shape)."""
    if len(uniform) == 0:
        return lamina.zeros(0, *shape)
    generator = lamina.Generator()
    return lamina.stack(
        [lamina.randn(*shape, generator=generator.manual_seed(int(u * 2**53))) for u in uniform.tolist()]
    )


def whole(uniform: Tensor, count: Tensor | int) -> Tensor:
    """int64 numbers 0 ... count - 1 of uniform ones."""
    return (uniform * count).floor().to(lamina.int64)


def seed_list(name: str, seeds: Seeds, count: int, single: bool) -> list[int]:
    """The seeds of a batch as ints; drawn from the default generator when there are none."""
    if seeds is None:
        drawn: list[int] = lamina.randint(0, 2**63 - 1, (count,)).tolist()
        return drawn
    if isinstance(seeds, lamina.Tensor):
        seeds = seeds.tolist()
    if isinstance(seeds, int) and not isinstance(seeds, bool):
        if not single:
            raise ValueError(f"{name}: one seed for a batch of {count}; give one per sample, such as sample_seeds(...)")
        seeds = [seeds]
    found = list(seeds)
    if len(found) != count:
        raise ValueError(f"{name}: {len(found)} seeds for {count} samples")
    if not all(isinstance(s, int) and not isinstance(s, bool) for s in found):
        raise TypeError(f"{name}: seeds must be ints")
    return [s & _MASK for s in found]


class Transform(nn.Module):
    """Base class of transforms: (C, H, W) or (N, C, H, W) -> the same rank. Each sample gets random numbers of its own.

    `transform(images, seeds)` takes an int for one image, one int per image for a batch; without seeds they come from
    the default generator. A subclass says how many uniform numbers a sample needs (`draws`), and writes
    `change(batch, u)` for a batch (N, C, H, W) and these numbers, float64 (N, draws).

    >>> import lamina
    >>> class Fade(lamina.vision.Transform):
    ...     draws = 1
    ...     def change(self, batch, u):
    ...         return batch * u.float().reshape(-1, 1, 1, 1)
    >>> x = lamina.ones(2, 1, 4, 4)
    >>> bool((Fade()(x, [5, 6])[1] == Fade()(x[1], 6)).all())
    True
    """

    draws = 0

    def change(self, batch: Tensor, u: Tensor) -> Tensor:
        raise NotImplementedError(f"{type(self).__name__} must define change(batch, u)")

    def forward(self, images: Tensor, seeds: Seeds = None) -> Tensor:
        name = type(self).__name__
        need_tensors(name, images=images)
        if images.dim() not in (3, 4):
            raise lamina.ShapeError(f"{name}: expected (C, H, W) or (N, C, H, W), got shape {tuple(images.shape)}")
        single = images.dim() == 3
        batch = images.unsqueeze(0) if single else images
        count = int(batch.shape[0])
        numbers = seed_list(name, seeds, count, single) if self.draws or seeds is not None else [0] * count
        with lamina.no_grad():
            u = uniforms(numbers, self.draws)
        size = max(1, _PIECE * count // max(1, batch.numel()))
        pieces = zip(batch.split(size), u.split(size), strict=True) if count > size else [(batch, u)]
        out = [self.change(*piece) for piece in pieces]
        return out[0][0] if single else out[0] if len(out) == 1 else lamina.cat(out)


class Compose(Transform):
    """Transforms one after the other: (C, H, W) or (N, C, H, W).

    >>> import lamina
    >>> from lamina import vision
    >>> t = vision.Compose([vision.RandomCrop(32, padding=4), vision.RandomHorizontalFlip()])
    >>> t(lamina.zeros(8, 3, 32, 32)).shape
    (8, 3, 32, 32)
    """

    def __init__(self, transforms: Sequence[Transform]) -> None:
        super().__init__()
        for i, part in enumerate(transforms):
            if not isinstance(part, Transform):
                raise TypeError(
                    f"{type(self).__name__}: transform {i} is a {type(part).__name__}, expected a vision.Transform; "
                    "hint: Lambda(function) for a function of a batch"
                )
        self.transforms = nn.ModuleList(transforms)
        self.draws = sum(part.draws for part in transforms)

    def change(self, batch: Tensor, u: Tensor) -> Tensor:
        start, parts = 0, cast("Iterable[Transform]", self.transforms)
        for part in parts:
            batch = part.change(batch, u[:, start : start + part.draws])
            start += part.draws
        return batch


class RandomApply(Compose):
    """The transforms with probability p, else the image as it is; they must keep its shape and dtype.

    >>> import lamina
    >>> from lamina import vision
    >>> vision.RandomApply([vision.GaussianNoise()], p=0.3)(lamina.zeros(3, 8, 8)).shape
    (3, 8, 8)
    """

    def __init__(self, transforms: Sequence[Transform], p: float = 0.5) -> None:
        super().__init__(transforms)
        self.p = share(type(self).__name__, "p", p)
        self.draws += 1

    def change(self, batch: Tensor, u: Tensor) -> Tensor:
        out = super().change(batch, u[:, 1:])
        if out.shape != batch.shape or out.dtype != batch.dtype:
            raise lamina.ShapeError(
                f"RandomApply: the transforms made {tuple(out.shape)} {out.dtype} of {tuple(batch.shape)} "
                f"{batch.dtype}; they must keep both"
            )
        return lamina.where((u[:, 0] < self.p).reshape(-1, 1, 1, 1), out, batch)

    def extra_repr(self) -> str:
        return f"p={self.p}"


class Lambda(Transform):
    """A function of a batch (N, C, H, W) that treats every image alike, without randomness.

    >>> import lamina
    >>> lamina.vision.Lambda(lambda x: x * 2)(lamina.ones(1, 2, 2)).sum().item()
    8.0
    """

    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        if not callable(function):
            raise TypeError(f"Lambda: expected a function, got {type(function).__name__}")
        self.function = function

    def change(self, batch: Tensor, u: Tensor) -> Tensor:
        return self.function(batch)


def share(name: str, what: str, value: float) -> float:
    """A probability that was given to a constructor."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 1:
        raise ValueError(f"{name}: {what} must be a number between 0 and 1, got {value!r}")
    return float(value)


class Mixer(Protocol):
    """What Augment asks of MixUp and CutMix."""

    draws: int

    def pair(self, x: Tensor, y: Tensor, x2: Tensor, y2: Tensor, u: Tensor) -> tuple[Tensor, Tensor]: ...


class Augment(Dataset[Any]):
    """A dataset whose images are transformed anew in each epoch: item i is a function of (seed, epoch, i) alone.

    Items of `dataset` are images (C, H, W), or tuples that begin with one. `set_epoch(e)` chooses the epoch; batches that
    a DataLoader asks for are transformed together, with the same bits as one by one and on any number of workers.

    `mix` is a MixUp or CutMix: item i is then mixed with a random other item of the dataset, and its label is soft.

    >>> import lamina
    >>> from lamina import vision
    >>> data = lamina.utils.data.TensorDataset(*lamina.datasets.digits())
    >>> train = vision.Augment(data, [vision.RandomCrop(8, padding=1)], seed=1)
    >>> train.set_epoch(3)
    >>> images, labels = next(iter(lamina.utils.data.DataLoader(train, batch_size=16)))
    >>> images.shape, bool((images[5] == train[5][0]).all())
    ((16, 1, 8, 8), True)
    """

    def __init__(
        self, dataset: Any, transforms: Transform | Sequence[Transform], seed: int = 0, mix: Mixer | None = None
    ) -> None:
        if isinstance(seed, bool) or not isinstance(seed, int):
            raise TypeError(f"Augment: seed must be an int, got {type(seed).__name__}")
        self.dataset, self.seed, self.epoch, self.mix = dataset, seed, 0, mix
        self.transforms = transforms if isinstance(transforms, Transform) else Compose(transforms)

    def set_epoch(self, epoch: int) -> None:
        """The epoch whose randomness the items have, 0 at first."""
        if isinstance(epoch, bool) or not isinstance(epoch, int) or epoch < 0:
            raise ValueError(f"Augment.set_epoch: epoch must be an int of at least 0, got {epoch!r}")
        self.epoch = epoch

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, index: int) -> Any:
        return self.__getitems__([index])[0]

    def __getitems__(self, indices: Sequence[int]) -> list[Any]:
        """The items of a batch; the DataLoader calls this."""
        count = len(self)
        places = [int(i) for i in indices]
        for i in places:
            if not -count <= i < count:
                raise IndexError(f"Augment: index {i} is out of range for {count} items")
        places = [i % count for i in places]
        if not places:
            return []
        images, rest = self._changed(places)
        if self.mix is not None:
            images, rest = self._mixed(places, images, rest)
        if rest is None:
            return list(images)
        return list(zip(images, *rest, strict=True))

    def _changed(self, places: list[int]) -> tuple[Sequence[Tensor], list[Sequence[Any]] | None]:
        """(transformed images, the other fields): a batch together where the images have one shape."""
        images, rest = self._fetch(places)
        seeds = sample_seeds(self.seed, self.epoch, places)
        if isinstance(images, lamina.Tensor):
            return self.transforms(images, seeds).unbind(0), rest
        return [self.transforms(image, seed) for image, seed in zip(images, seeds, strict=True)], rest

    def _fetch(self, places: list[int]) -> tuple[Any, list[Sequence[Any]] | None]:
        inner = self.dataset
        while type(inner) is Subset:
            inner = inner.dataset
        if type(inner) is TensorDataset:
            first, *fields = self.dataset.gather(lamina.tensor(places, dtype=lamina.int64))
            return first, [field.unbind(0) for field in fields]
        many = getattr(self.dataset, "__getitems__", None)
        items = many(places) if many is not None else [self.dataset[i] for i in places]
        plain = isinstance(items[0], lamina.Tensor)
        images = list(items) if plain else [item[0] for item in items]
        need_tensors("Augment", **{f"image of item {i}": image for i, image in zip(places, images, strict=True)})
        rest: list[Sequence[Any]] | None = None if plain else list(zip(*(item[1:] for item in items), strict=True))
        alike = all(i.shape == images[0].shape and i.dtype == images[0].dtype for i in images)
        return lamina.stack(images) if alike else images, rest

    def _mixed(
        self, places: list[int], images: Sequence[Tensor], rest: list[Sequence[Any]] | None
    ) -> tuple[Sequence[Tensor], list[Sequence[Any]]]:
        assert self.mix is not None
        if not rest:
            raise ValueError("Augment: mix needs items of an image and a label")
        seeds = [mix_seed(s, 1) for s in sample_seeds(self.seed, self.epoch, places)]
        u = uniforms(seeds, 1 + self.mix.draws)
        images2, rest2 = self._changed(whole(u[:, 0], len(self)).tolist())
        assert rest2
        labels, labels2 = (lamina.stack([lamina.as_tensor(y) for y in r[0]]) for r in (rest, rest2))
        x, y = self.mix.pair(lamina.stack(list(images)), labels, lamina.stack(list(images2)), labels2, u[:, 1:])
        return x.unbind(0), [y.unbind(0), *rest[1:]]
