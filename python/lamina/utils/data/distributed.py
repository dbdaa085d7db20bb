"""DistributedSampler: the part of a dataset that one of several processes reads."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sized

import lamina

from .sampler import Sampler


class DistributedSampler(Sampler[int]):
    """Every num_replicas-th index from `rank` on, of all indices in order or, with shuffle, in one order for all ranks.

    Each rank gets the same number of indices: the first ones are repeated at the end, or, with drop_last, the last ones
    are left out. The order comes from seed + epoch: call set_epoch before each epoch. lamina knows no process groups,
    so both numbers must be given. Raises ValueError and TypeError.

    >>> from lamina.utils.data import DistributedSampler
    >>> [list(DistributedSampler(range(5), num_replicas=2, rank=rank, shuffle=False)) for rank in (0, 1)]
    [[0, 2, 4], [1, 3, 0]]
    """

    def __init__(
        self,
        dataset: Sized,
        num_replicas: int | None = None,
        rank: int | None = None,
        shuffle: bool = True,
        seed: int = 0,
        drop_last: bool = False,
    ) -> None:
        if num_replicas is None or rank is None:
            raise ValueError(
                "DistributedSampler: give num_replicas and rank; there is no process group to ask for them"
            )
        for name, value in (("num_replicas", num_replicas), ("rank", rank)):
            if isinstance(value, bool) or not isinstance(value, int):
                raise TypeError(f"DistributedSampler: {name} must be an int, got {value!r}")
        if not 0 <= rank < num_replicas:
            raise ValueError(
                f"DistributedSampler: rank must be between 0 and num_replicas - 1, got {rank} of {num_replicas}"
            )
        count = len(dataset)
        if count == 0:
            raise ValueError("DistributedSampler: the dataset is empty")
        self.dataset, self.num_replicas, self.rank = dataset, num_replicas, rank
        self.shuffle, self.seed, self.drop_last, self.epoch = shuffle, seed, drop_last, 0
        self.num_samples = count // num_replicas if drop_last else math.ceil(count / num_replicas)
        self.total_size = self.num_samples * num_replicas

    def __iter__(self) -> Iterator[int]:
        count = len(self.dataset)
        if self.shuffle:
            generator = lamina.Generator().manual_seed(self.seed + self.epoch)
            order: list[int] = lamina.randperm(count, generator=generator).tolist()
        else:
            order = list(range(count))
        return (order[i % count] for i in range(self.rank, self.total_size, self.num_replicas))

    def __len__(self) -> int:
        return self.num_samples

    def set_epoch(self, epoch: int) -> None:
        """Another order for the next pass, the same one on all ranks."""
        self.epoch = epoch
