"""torch.backends.mkldnn's switches: kept, without an effect."""

enabled: bool = False


def is_available() -> bool:
    """False: lamina's kernels are its own."""
    return False
