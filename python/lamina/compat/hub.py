"""torch.hub: files by their address. Code is never fetched."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from typing import Any, NoReturn
from urllib.parse import urlparse

_HASH = re.compile(r"-([a-f0-9]*)\.")
_directory: list[str] = []


def get_dir() -> str:
    """Where files are kept: set_dir's, $TORCH_HOME/hub, or ~/.cache/torch/hub."""
    if _directory:
        return _directory[0]
    cache = os.environ.get("XDG_CACHE_HOME", os.path.join("~", ".cache"))
    return os.path.join(os.path.expanduser(os.environ.get("TORCH_HOME", os.path.join(cache, "torch"))), "hub")


def set_dir(d: str | os.PathLike[str]) -> None:
    """Keeps files there from now on."""
    _directory[:] = [os.path.expanduser(os.fspath(d))]


def download_url_to_file(url: str, dst: str, hash_prefix: str | None = None, progress: bool = True) -> None:
    """Writes the file atomically; RuntimeError where its SHA-256 does not begin with `hash_prefix`."""
    from urllib.request import Request, urlopen

    digest = hashlib.sha256()
    folder = os.path.dirname(os.path.abspath(dst))
    part = tempfile.NamedTemporaryFile(dir=folder, delete=False)
    try:
        with part, urlopen(Request(url, headers={"User-Agent": "lamina"})) as source:
            while data := source.read(1 << 20):
                part.write(data)
                digest.update(data)
        if hash_prefix and not digest.hexdigest().startswith(hash_prefix):
            raise RuntimeError(f"hub: {url}: the file's hash {digest.hexdigest()} does not begin with {hash_prefix!r}")
        os.replace(part.name, dst)
    finally:
        if os.path.exists(part.name):
            os.remove(part.name)


def load_state_dict_from_url(
    url: str,
    model_dir: str | None = None,
    map_location: Any = None,
    progress: bool = True,
    check_hash: bool = False,
    file_name: str | None = None,
    weights_only: bool = True,
) -> Any:
    """lamina.load of the file behind the address, which is kept in `model_dir` (get_dir()/checkpoints)."""
    from ..serialization import load as load_file

    folder = model_dir or os.path.join(get_dir(), "checkpoints")
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, file_name or os.path.basename(urlparse(url).path))
    if not os.path.exists(path):
        named = _HASH.search(os.path.basename(path)) if check_hash else None
        download_url_to_file(url, path, named.group(1) if named else None, progress)
    return load_file(path, map_location=map_location)


def load(repo_or_dir: str, model: str, *args: Any, **kwargs: Any) -> NoReturn:
    """Refused: it would fetch code and run it."""
    raise NotImplementedError(
        f"hub.load: {repo_or_dir!r} would be fetched and its code run; hint: import the model's class and load its "
        "weights with hub.load_state_dict_from_url"
    )
