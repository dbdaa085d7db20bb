"""Every example in a docstring of the Python layer runs and prints what it says."""

import doctest
import importlib
import pkgutil

import lamina
import pytest

SKIP = {"lamina.__main__", "lamina.as_torch"}  # whose import changes what torch means in the process
NAMES = sorted(
    m.name for m in pkgutil.walk_packages(lamina.__path__, "lamina.") if m.name not in SKIP and "._C" not in m.name
)


@pytest.mark.parametrize("name", NAMES)
def test_examples(name):
    module = importlib.import_module(name)
    result = doctest.testmod(module, optionflags=doctest.ELLIPSIS)
    assert result.failed == 0


def test_every_layer_has_an_example():
    from lamina import nn

    for name in nn.__all__:
        thing = getattr(nn, name)
        if isinstance(thing, type):
            assert ">>>" in (thing.__doc__ or ""), name
            assert (
                name in ("Module", "Parameter", "Buffer", "ModuleList", "ModuleDict", "ParameterList", "ParameterDict")
                or "->" in thing.__doc__
            ), name
