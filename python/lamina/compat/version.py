"""torch.version: the release of PyTorch whose names programs may expect, and the toolkits of the build."""

from __future__ import annotations

import os

__version__: str = os.environ.get("LAMINA_AS_TORCH", "2.6.0+lamina")
cuda: str | None = None  # the plug-in is built apart; lamina.cuda.status() tells of it
hip: str | None = None
xpu: str | None = None
git_version = "unknown"
debug = False
