"""A corpus that every machine with Python has, and the split of a sequence into train and validation."""

from __future__ import annotations

import os
from typing import Any, TypeVar

import lamina

S = TypeVar("S")

# Single files of the standard library, the same names in every Python from 3.10 on.
_MODULES = (
    "_pydecimal _pyio _strptime abc argparse ast base64 bdb bisect calendar cmd code codecs codeop colorsys compileall "
    "configparser contextlib copy copyreg csv dataclasses difflib dis doctest enum filecmp fileinput fnmatch fractions "
    "ftplib functools genericpath getopt getpass gettext graphlib gzip hashlib heapq hmac imaplib inspect io ipaddress "
    "keyword linecache locale lzma mailbox mimetypes modulefinder netrc ntpath numbers opcode operator optparse os pdb "
    "pickle pickletools pkgutil platform plistlib poplib posixpath pprint profile pstats py_compile pyclbr queue quopri "
    "random reprlib rlcompleter runpy sched secrets selectors shelve shlex shutil signal site smtplib socket "
    "socketserver ssl stat statistics string stringprep struct subprocess symtable tabnanny tarfile tempfile textwrap "
    "threading timeit token tokenize trace traceback tracemalloc types typing uuid warnings wave weakref webbrowser "
    "zipapp zipimport"
)


def corpus(path: str | os.PathLike[str] | None = None) -> str:
    """The text of a UTF-8 file, or without a path 3 to 4 MB of English and Python: the sources of well-known modules of
    the running Python's standard library, in alphabetical order.

    Nothing is shipped or downloaded: the default corpus depends on the version of Python (a module that this Python
    lacks is left out), not on what else is installed. Raises FileError for what cannot be read.

    >>> import lamina
    >>> len(lamina.text.corpus()) > 1_000_000
    True
    """
    if path is not None:
        return _read(os.fspath(path))
    import sysconfig

    home = sysconfig.get_paths()["stdlib"]
    names = [os.path.join(home, name + ".py") for name in _MODULES.split()]
    found = [name for name in names if os.path.isfile(name)]
    if 2 * len(found) < len(names):
        raise lamina.FileError(
            f"corpus: {home} has {len(found)} of {len(names)} expected source files; hint: corpus(path) reads your own file"
        )
    return "\n".join(map(_read, found))


def split(sequence: S, validation: float = 0.1) -> tuple[S, S]:
    """(train, validation): the first and the last part of a text, a list or a tensor, in order.

    A split by position, not by chance: neighbouring windows of one text overlap or nearly repeat each other.

    >>> import lamina
    >>> lamina.text.split("abcdefghij", 0.2)
    ('abcdefgh', 'ij')
    """
    if not 0 < validation < 1:
        raise ValueError(f"split: validation must be a share between 0 and 1, got {validation}")
    items: Any = sequence
    border = len(items) - round(len(items) * validation)
    if not 0 < border < len(items):
        raise ValueError(f"split: {len(items)} items leave one of the two parts empty at validation={validation}")
    return items[:border], items[border:]


def _read(name: str) -> str:
    try:
        with open(name, encoding="utf-8", newline="") as file:
            return file.read()
    except OSError as error:
        raise lamina.FileError(f"{name}: cannot be read ({error.strerror or error})") from None
    except UnicodeDecodeError as error:
        raise lamina.FileError(f"{name}: not a text file (byte {error.start} is not UTF-8)") from None
