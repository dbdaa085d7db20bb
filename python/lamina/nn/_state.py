"""A module's part of a state_dict: how it is written and read, with the methods and hooks that programs put in between.

Walks keep their own stack, so that depth is limited by memory. Where a class or a hook has a say in how a module is
read, that module is handled in turn, on a dict of the keys below it; all others are checked first and changed together.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import lamina

from .._C import Tensor
from .parameter import Parameter

if TYPE_CHECKING:
    from .module import Module

_EXTRA = "_extra_state"
_Step = Callable[[], None]


class IncompatibleKeys(NamedTuple):
    """What `load_state_dict` returns."""

    missing_keys: list[str]
    unexpected_keys: list[str]

    def __repr__(self) -> str:
        if not self.missing_keys and not self.unexpected_keys:
            return "<All keys matched successfully>"
        return f"IncompatibleKeys(missing_keys={self.missing_keys}, unexpected_keys={self.unexpected_keys})"


# -- the methods of Module that a class may override ------------------------------------------------------------------
def get_extra_state(self: Module) -> Any:
    """State that is no parameter or buffer, for the state_dict; a class that overrides it overrides set_extra_state."""
    raise RuntimeError(f"{type(self).__name__} has no extra state: it does not override get_extra_state")


def set_extra_state(self: Module, state: Any) -> None:
    """Takes back what get_extra_state gave."""
    raise RuntimeError(f"{type(self).__name__} has no extra state: it does not override set_extra_state")


def save_to_state_dict(self: Module, destination: dict[str, Any], prefix: str, keep_vars: bool) -> None:
    """Writes the module's own parameters, persistent buffers and extra state, without its children's."""
    for name, value in _own(self):
        destination[prefix + name] = value if keep_vars else value.detach()
    if not _is(self, "get_extra_state", get_extra_state):
        destination[prefix + _EXTRA] = self.get_extra_state()


def load_from_state_dict(
    self: Module,
    state_dict: dict[str, Any],
    prefix: str,
    local_metadata: Mapping[str, Any],
    strict: bool,
    missing_keys: list[str],
    unexpected_keys: list[str],
    error_msgs: list[str],
) -> None:
    """Takes the module's own values, at once; what is wrong is added to the lists. Children are read after it."""
    found = IncompatibleKeys(missing_keys, unexpected_keys)
    for step in _read(self, state_dict, prefix, local_metadata, strict, found, error_msgs):
        step()


def state_dict(
    self: Module, *args: Any, destination: Any = None, prefix: str = "", keep_vars: bool = False
) -> dict[str, Any]:
    """{dotted name: tensor} of parameters and persistent buffers; the tensors share the module's memory.

    An OrderedDict whose `_metadata` has the `_version` of each module; extra state is in it under `_extra_state`.
    """
    given = dict(zip(("destination", "prefix", "keep_vars"), args, strict=False))  # by place, as older programs do
    destination = given.get("destination", destination)
    if destination is None:
        destination = OrderedDict()
        destination._metadata = OrderedDict()
    return _save(self, destination, given.get("prefix", prefix), given.get("keep_vars", keep_vars))


# -- writing ----------------------------------------------------------------------------------------------------------
def _is(module: Module, method: str, base: Callable[..., Any]) -> bool:
    return getattr(type(module), method) is base and method not in module.__dict__


def _own(module: Module) -> Iterator[tuple[str, Tensor]]:
    own = module.__dict__
    for name in module._parameter_names:
        if own[name] is not None:
            yield name, own[name]
    for name, persistent in module._buffer_names.items():
        if persistent and own[name] is not None:
            yield name, own[name]


def entries(top: Module) -> Iterator[tuple[str, Tensor]]:
    """(dotted name, tensor) of all parameters and persistent buffers, those that are shared under each name."""
    for path, module in top.named_modules(remove_duplicate=False):
        base = f"{path}." if path else ""
        for name, value in _own(module):
            yield base + name, value


def _children(module: Module, prefix: str) -> list[tuple[Module, str]]:
    """(child, its prefix), the last first, for a stack."""
    own = module.__dict__
    return [(own[n], f"{prefix}{n}.") for n in reversed(module._module_names) if own[n] is not None]


def _save(top: Module, out: Any, prefix: str, keep_vars: bool) -> dict[str, Any]:
    metadata, result = getattr(out, "_metadata", None), out
    open_modules: set[int] = set()  # a module inside itself ends there
    stack: list[tuple[Module, str, dict[str, Any] | None]] = [(top, prefix, None)]
    while stack:
        module, at, noted = stack.pop()
        if noted is not None:  # all below it is written
            open_modules.discard(id(module))
            after = _after_saving(module, out, at, noted)
            result = after if module is top else result
            continue
        if id(module) in open_modules:
            continue
        if module is not top and not _is(module, "state_dict", state_dict):
            module.state_dict(destination=out, prefix=at, keep_vars=keep_vars)
            continue
        open_modules.add(id(module))
        noted = {"version": module._version}
        if metadata is not None:
            metadata[at[:-1]] = noted
        if module._state_hooks is not None:
            for hook in list(module._state_hooks.save_pre.values()):
                hook(module, at, keep_vars)
        module._save_to_state_dict(out, at, keep_vars)
        stack.append((module, at, noted))
        stack.extend((child, below, None) for child, below in _children(module, at))
    return result  # type: ignore[no-any-return]


def _after_saving(module: Module, out: Any, prefix: str, noted: dict[str, Any]) -> Any:
    """What the hooks of one module make of the state_dict."""
    hooks = module._state_hooks
    for key, hook in list(hooks.save_post.items()) if hooks is not None else ():
        given = hook(module, out, prefix, noted)
        if given is not None and key in hooks.only_look:  # type: ignore[union-attr]
            raise RuntimeError("state_dict post-hook must return None")
        out = out if given is None else given
    return out


# -- reading ----------------------------------------------------------------------------------------------------------
def _read(
    module: Module,
    state: dict[str, Any],
    prefix: str,
    noted: Mapping[str, Any],
    strict: bool,
    found: IncompatibleKeys,
    errors: list[str],
) -> list[_Step]:
    """Checks the module's own part, with its hooks; what is left to do."""
    if module._state_hooks is not None:
        for hook in list(module._state_hooks.load_pre.values()):
            hook(state, prefix, noted, strict, *found, errors)
    known: set[str] = set()
    missing: list[str] = []
    steps = _check(module, state, prefix, noted, known, missing, errors)
    if strict:
        found.missing_keys.extend(missing)
        inside = module._module_names
        for key in state:
            if isinstance(key, str) and key.startswith(prefix) and key not in known:
                first, dot, _ = key[len(prefix) :].partition(".")
                if not dot or first not in inside:
                    found.unexpected_keys.append(key)
    return steps


def _check(
    module: Module,
    state: dict[str, Any],
    prefix: str,
    noted: Mapping[str, Any],
    known: set[str],
    missing: list[str],
    errors: list[str],
) -> list[_Step]:
    """Checks the module's own values; what is left to do when all is well."""
    module._renew_state(state, prefix, noted.get("version"))
    steps: list[_Step] = []
    for name, value in _own(module):
        key = prefix + name
        known.add(key)
        if key not in state:
            missing.append(key)
            continue
        new = state[key]
        if not isinstance(new, Tensor):
            errors.append(f"value for \"{key}\": expected a Tensor, got '{type(new).__name__}'")
            continue
        if value.dim() == 0 and tuple(new.shape) == (1,):  # scalars of files from before there were any
            new = new[0]
        if tuple(new.shape) != tuple(value.shape):
            errors.append(
                f"size mismatch for {key}: copying a param with shape {tuple(new.shape)} from checkpoint, "
                f"the shape in current model is {tuple(value.shape)}."
            )
            continue
        steps.append(_taking(module, name, new, bool(noted.get("assign_to_params_buffers"))))
    if not _is(module, "set_extra_state", set_extra_state):
        key = prefix + _EXTRA
        known.add(key)
        if key in state:
            extra = state[key]
            steps.append(lambda: module.set_extra_state(extra))
        else:
            missing.append(key)
    return steps


def _taking(module: Module, name: str, new: Tensor, assign: bool) -> _Step:
    def take() -> None:
        value = module.__dict__[name]
        if not assign:
            with lamina.no_grad():
                value.copy_(new)
        elif name not in module._parameter_names:
            module.__dict__[name] = new
        elif isinstance(new, Parameter):
            setattr(module, name, new.requires_grad_(value.requires_grad))
        else:
            setattr(module, name, Parameter(new.detach(), requires_grad=value.requires_grad))

    return take


def _tying(top: Module, key: str, other: str) -> _Step:
    def tie() -> None:
        path, _, name = key.rpartition(".")
        source, _, source_name = other.rpartition(".")
        top.get_submodule(path).__dict__[name] = top.get_submodule(source).__dict__[source_name]

    return tie


class _Region:
    """Modules that read one dict together: which of its keys somebody knows."""

    def __init__(self, state: dict[str, Any], owner: Module | None = None, prefix: str = "") -> None:
        self.state, self.owner, self.prefix = state, owner, prefix
        self.known: set[str] = set()
        self.elsewhere: set[str] = set()  # prefixes of keys that are read, or let pass, by others

    def part(self, prefix: str) -> dict[str, Any]:
        """The keys below a module that is handled alone."""
        self.elsewhere.add(prefix)
        if not prefix:
            return self.state
        return {key: v for key, v in self.state.items() if isinstance(key, str) and key.startswith(prefix)}

    def strangers(self) -> Iterator[str]:
        """Keys that nobody knows. Those of the owner itself are its own matter."""
        if "" in self.elsewhere:
            return
        for key in self.state:
            if key in self.known:
                continue
            if isinstance(key, str):
                dots = [i + 1 for i, c in enumerate(key) if c == "."]
                if self.elsewhere and any(key[:i] in self.elsewhere for i in dots):
                    continue
                if self.owner is not None:
                    first, dot, _ = key[len(self.prefix) :].partition(".")
                    if not dot or first not in self.owner._module_names:
                        continue
            yield key


class _Reader:
    """One load_state_dict: the walk, and what it has found so far."""

    def __init__(self, given: Mapping[str, Any], assign: bool) -> None:
        self.metadata, self.assign = getattr(given, "_metadata", None) or {}, assign
        self.found = IncompatibleKeys([], [])
        self.errors: list[str] = []
        self.steps: list[_Step] = []
        self.state: Any = OrderedDict(given)
        self.state._metadata = self.metadata  # type: ignore[attr-defined]

    def walk(self, top: Module) -> None:
        first = _Region(self.state)
        open_modules: set[int] = set()
        stack: list[tuple[Module, str, _Region, bool]] = [(top, "", first, False)]
        while stack:
            module, prefix, region, done = stack.pop()
            if done:
                open_modules.discard(id(module))
                if region.owner is module:
                    self.leave(module, region)
                continue
            if id(module) in open_modules:
                continue
            open_modules.add(id(module))
            inner = self.enter(module, prefix, region)
            stack.append((module, prefix, inner, True))
            stack.extend((child, below, inner, False) for child, below in _children(module, prefix))
        self.found.unexpected_keys.extend(first.strangers())

    def enter(self, module: Module, prefix: str, region: _Region) -> _Region:
        """Reads one module; the region of its children."""
        noted = dict(self.metadata.get(prefix[:-1]) or {})
        if self.assign:
            noted["assign_to_params_buffers"] = True
        plain = _is(module, "_load_from_state_dict", load_from_state_dict)
        if plain and module._state_hooks is None:
            missing = self.found.missing_keys
            self.steps += _check(module, region.state, prefix, noted, region.known, missing, self.errors)
            empty = [n for n in module._module_names if module.__dict__[n] is None]
            region.elsewhere.update(f"{prefix}{n}." for n in empty)
            return region
        own = region.part(prefix)
        if plain:
            self.steps += _read(module, own, prefix, noted, True, self.found, self.errors)
        else:
            module._load_from_state_dict(own, prefix, noted, True, *self.found, self.errors)
        return _Region(own, module, prefix)

    def leave(self, module: Module, region: _Region) -> None:
        """A module that was handled alone, after its children: hooks look at, and may forgive, what was found."""
        self.found.unexpected_keys.extend(region.strangers())
        hooks = module._state_hooks
        if hooks is None or not hooks.load_post or self.errors:
            return
        self.finish()
        for hook in list(hooks.load_post.values()):
            if hook(module, self.found) is not None:
                raise RuntimeError("hooks of register_load_state_dict_post_hook must return None; change the lists")

    def follow_ties(self, top: Module) -> None:
        """A tensor under several names is not missing under one when the state has another of them."""
        lost = set(self.found.missing_keys)
        if not lost:
            return
        read = {id(value): key for key, value in entries(top) if key in self.state}
        for key, value in list(entries(top)):
            if key in lost and id(value) in read:
                self.found.missing_keys.remove(key)
                self.steps.append(_tying(top, key, read[id(value)]))

    def finish(self) -> None:
        steps, self.steps = self.steps, []
        for step in steps:
            step()


def load(module: Module, state_dict: Mapping[str, Any], strict: bool, assign: bool) -> IncompatibleKeys:
    whole: Any = state_dict
    if hasattr(whole, "named_parameters"):  # a model, as lamina.load gives it back
        state_dict = whole.state_dict()
    if not isinstance(state_dict, Mapping):
        raise TypeError(f"Expected state_dict to be dict-like, got {type(state_dict)}.")
    reader = _Reader(state_dict, assign)
    reader.walk(module)
    reader.follow_ties(module)
    problems = list(reader.errors)
    for what, keys in (("Unexpected", reader.found.unexpected_keys), ("Missing", reader.found.missing_keys)):
        if strict and keys:
            problems.insert(0, "{} key(s) in state_dict: {}. ".format(what, ", ".join(f'"{k}"' for k in keys)))
    if problems:
        listed = "\n\t".join(problems)
        raise RuntimeError(f"Error(s) in loading state_dict for {type(module).__name__}:\n\t{listed}")
    reader.finish()
    return reader.found
