"""Pictures of training and of models: each function draws a matplotlib Figure, writes it to `path` if given, returns it.

Figures belong to nobody but the caller: there is no window, no pyplot state and no display, so that it works on
servers, in notebooks and in threads. Colours are told apart by colour-blind eyes and in grey print. Needs matplotlib:
pip install "lamina[plot]".
"""

from __future__ import annotations

from .._lazy import lazy

TYPE_CHECKING = False
if TYPE_CHECKING:  # what __getattr__ loads
    from .classes import confusion as confusion
    from .classes import roc as roc
    from .images import filters as filters
    from .images import grid as grid
    from .images import reconstructions as reconstructions
    from .lines import curves as curves
    from .lines import forecast as forecast
    from .lines import lr_find as lr_find
    from .points import latent as latent
    from .tokens import attention as attention

_FILES = {
    "classes": "confusion roc",
    "images": "filters grid reconstructions",
    "lines": "curves forecast lr_find",
    "points": "latent",
    "tokens": "attention",
}

__getattr__, __dir__, __all__ = lazy(__name__, _FILES)
