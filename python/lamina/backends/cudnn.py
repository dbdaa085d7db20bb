"""torch.backends.cudnn's switches: kept, without an effect."""

enabled: bool = True
benchmark: bool = False
deterministic: bool = True
allow_tf32: bool = False


def is_available() -> bool:
    """False: lamina's kernels are its own."""
    return False


def version() -> None:
    """None, as there is no cuDNN."""
