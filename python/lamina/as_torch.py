"""`import lamina.as_torch`: from here on `import torch` means lamina in this process.

    import lamina.as_torch          # first of all imports
    import some_library             # which says `import torch` inside

    python -m lamina.as_torch script.py arguments
    python -m lamina.as_torch -m package arguments
    python -m lamina.as_torch --check package     # the names of torch that it uses and lamina lacks

`with lamina.as_torch.scope("package"):` does it for a while, for tests: it needs `import lamina` alone.
"""

from __future__ import annotations

from .compat.torch_import import describe, install, installed, scope, uninstall

__all__ = ["describe", "install", "installed", "scope", "uninstall"]

_USAGE = "usage: python -m lamina.as_torch [--level VERSION] (script.py | -m module | --check package) [arguments]"


def main(arguments: list[str]) -> int:
    """What `python -m lamina.as_torch` does with its arguments."""
    import os
    import runpy
    import sys

    level = None
    if arguments[:1] == ["--level"] and len(arguments) > 1:
        level, arguments = arguments[1], arguments[2:]
    if not arguments or arguments[0] in ("-h", "--help") or (arguments[0] in ("-m", "--check") and len(arguments) < 2):
        print(__doc__ if arguments[:1] == ["--help"] else _USAGE)
        return 0 if arguments[:1] in (["-h"], ["--help"]) else 2
    if arguments[0] == "--check":
        from .compat.check_names import report

        return report(arguments[1:])
    sys.path[0] = os.getcwd() if arguments[0] == "-m" else os.path.dirname(os.path.abspath(arguments[0]))
    install(level)
    if arguments[0] == "-m":
        sys.argv = arguments[1:]
        runpy.run_module(arguments[1], run_name="__main__", alter_sys=True)
        return 0
    sys.argv = arguments
    runpy.run_path(arguments[0], run_name="__main__")
    return 0


if __name__ == "__main__":
    import sys

    sys.exit(main(sys.argv[1:]))

install()
