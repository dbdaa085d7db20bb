"""Found first by the processes that a program under lamina.as_torch starts: `import torch` means lamina there, too."""

import sys

del sys.modules["torch"]  # this file, which makes way

from lamina.compat.torch_import import install  # noqa: E402

install()
