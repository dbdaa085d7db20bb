"""torch.backends.openmp."""


def is_available() -> bool:
    """True: CPU kernels run on OpenMP's threads."""
    return True
