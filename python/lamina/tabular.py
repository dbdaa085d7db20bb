"""Tables of numbers and words as tensors: standardised, imputed, one-hot; saved inside the model's file."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import lamina

from . import nn
from .serialization import load_state, save_file

if TYPE_CHECKING:
    from ._C import Tensor
    from .nn._state import IncompatibleKeys

_IMPUTE = ("median", "mean", "most_frequent")
_OTHER, _MISSING = "<other>", "<missing>"
_MAX_SCHEMA = 64 << 20


def table_columns(table: Any, names: Sequence[str] | None = None) -> dict[str, list[Any]]:
    """Columns by name of: a dict of columns, a list of dicts, a NumPy structured or 2-D array, or a CSV file's path.

    Columns of a 2-D array are called by `names`, or "0", "1" ...

    >>> import lamina
    >>> lamina.tabular.table_columns([{"age": 31, "city": "Lyon"}, {"age": 40}])
    {'age': [31, 40], 'city': ['Lyon', None]}
    """
    found: dict[str, list[Any]] = {}
    if isinstance(table, (str, os.PathLike)):
        from .datasets import columns

        found = {name: list(cells) for name, cells in columns(table).items()}
    elif isinstance(table, Mapping):
        found = {str(name): _cells(cells) for name, cells in table.items()}
    elif getattr(getattr(table, "dtype", None), "names", None):  # a structured array
        found = {name: table[name].tolist() for name in table.dtype.names}
    elif hasattr(table, "shape") and len(table.shape) == 2:
        titles = [str(i) for i in range(table.shape[1])] if names is None else list(names)
        if len(titles) != table.shape[1]:
            raise ValueError(f"table: {len(titles)} names for {table.shape[1]} columns")
        found = dict(zip(titles, table.T.tolist(), strict=True)) if table.shape[1] else {}
    elif isinstance(table, Sequence) and table and all(isinstance(row, Mapping) for row in table):
        titles = list(dict.fromkeys(str(name) for row in table for name in row))
        found = {name: [row.get(name) for row in table] for name in titles}
    else:
        raise TypeError(
            f"table: expected a dict of columns, a list of dicts, a structured or 2-D array or the path of a CSV file, "
            f"got {type(table).__name__}"
        )
    lengths = {name: len(cells) for name, cells in found.items()}
    if not lengths or len(set(lengths.values())) != 1:
        raise ValueError(f"table: columns must have one length, got {lengths or 'no columns'}")
    return {name: [_plain(cell) for cell in cells] for name, cells in found.items()}


def _cells(cells: Any) -> list[Any]:
    if hasattr(cells, "tolist"):
        cells = cells.tolist()
    return list(cells) if isinstance(cells, Iterable) and not isinstance(cells, (str, bytes)) else [cells]


def _plain(cell: Any) -> Any:
    """Python's own number of a NumPy scalar, as arrays of objects hold them."""
    return cell.item() if type(cell).__module__ == "numpy" else cell


def _is_gap(cell: Any) -> bool:
    return cell is None or cell == "" or (isinstance(cell, float) and math.isnan(cell))


def _number(name: str, row: int, cell: Any) -> float:
    """A cell of a numeric column, NaN where it is missing."""
    if _is_gap(cell):
        return math.nan
    try:
        value = float(cell)
    except (TypeError, ValueError, OverflowError):
        value = math.inf
    if math.isinf(value):
        raise ValueError(f"TabularEncoder: column {name!r}, row {row}: {cell!r} is not a finite number")
    return value


def _word(cell: Any) -> str | None:
    """A cell of a column of categories as text: 3 and 3.0 are one category."""
    if _is_gap(cell):
        return None
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return cell.decode("utf-8", "replace") if isinstance(cell, bytes) else str(cell)


def _most_frequent(values: Sequence[Any]) -> Any:
    """The smallest of the most frequent values."""
    counts: dict[Any, int] = {}
    for value in values:
        counts[value] = counts.get(value, 0) + 1
    return min(counts, key=lambda value: (-counts[value], value))


class TabularEncoder(nn.Module):
    """Rows of a table as features: a table of N rows -> float32 (N, features).

    `fit` learns from the training rows. A numeric column becomes (x - mean) / std, missing cells (None, NaN, "") first
    replaced by its `impute`: median, mean or most_frequent. A column of categories becomes one 0 or 1 for each category
    that occurs at least `min_count` times (of these the `max_categories` most frequent) and one for all others, seen or
    not; missing cells count as the most frequent one. With `missing_indicator`, columns that had gaps get a further 0 or
    1 for them. `feature_names` says what stands where.

    Columns are given by name; without names those of numbers are numeric, those with words are categories, but for the
    ones in `exclude` (the label, say). All that was learned is in buffers: numbers in `fill`, `mean` and `std`, names
    and categories as JSON in `schema`; so it is part of a state_dict and of the model's file.

    >>> import lamina
    >>> table = {"age": [20, 40, None], "city": ["Oslo", "Lima", "Oslo"]}
    >>> encoder = lamina.tabular.TabularEncoder().fit(table)
    >>> encoder.feature_names
    ['age', 'age=<missing>', 'city=Lima', 'city=Oslo', 'city=<other>']
    >>> encoder({"age": [30], "city": ["Rome"]}).tolist()
    [[0.0, 0.0, 0.0, 0.0, 1.0]]
    """

    fill: Tensor
    mean: Tensor
    std: Tensor
    schema: Tensor

    def __init__(
        self,
        numeric: Sequence[str] | None = None,
        categorical: Sequence[str] | None = None,
        *,
        exclude: Sequence[str] = (),
        impute: str = "median",
        missing_indicator: bool = True,
        min_count: int = 1,
        max_categories: int = 256,
    ) -> None:
        super().__init__()
        if impute not in _IMPUTE:
            raise ValueError(f"TabularEncoder: impute must be one of {', '.join(_IMPUTE)}, got {impute!r}")
        for what, value in (("min_count", min_count), ("max_categories", max_categories)):
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise ValueError(f"TabularEncoder: {what} must be an int of at least 1, got {value!r}")
        named = [*(numeric or ()), *(categorical or ())]
        if any(isinstance(names, str) for names in (numeric, categorical, exclude)) or len(set(named)) != len(named):
            raise ValueError("TabularEncoder: numeric, categorical and exclude are lists of different names")
        self._given = (None if numeric is None else list(numeric), None if categorical is None else list(categorical))
        self._exclude, self.impute, self.missing_indicator = frozenset(exclude), impute, bool(missing_indicator)
        self.min_count, self.max_categories = min_count, max_categories
        for name in ("fill", "mean", "std"):
            self.register_buffer(name, lamina.zeros(0, dtype=lamina.float64))
        self.register_buffer("schema", lamina.zeros(0, dtype=lamina.uint8))
        self._parsed: tuple[bytes, list[dict[str, Any]]] = (b"", [])

    # -- learning -----------------------------------------------------------------------------------------------------
    def fit(self, table: Any, names: Sequence[str] | None = None) -> TabularEncoder:
        """Learns from the rows of a table, as `table_columns` takes it. Gives back the encoder."""
        found = table_columns(table, names)
        if not len(next(iter(found.values()))):
            raise ValueError("TabularEncoder: the table has no rows to learn from")
        plan, numbers = [], []
        for name, kind in self._kinds(found).items():
            if kind == "number":
                numbers.append(self._learn_number(name, found[name]))
                plan.append({"name": name, "kind": kind, "gaps": self._has_gaps(found[name])})
            else:
                plan.append(self._learn_categories(name, found[name]))
        if not plan:
            raise ValueError("TabularEncoder: the table has no columns to encode")
        table_of = lamina.tensor(numbers, dtype=lamina.float64).reshape(-1, 3)
        self.fill, self.mean, self.std = (column.clone() for column in table_of.unbind(1))
        self.schema = lamina.tensor(list(json.dumps(plan).encode("ascii")), dtype=lamina.uint8)
        return self

    def _kinds(self, found: dict[str, list[Any]]) -> dict[str, str]:
        """Which columns to encode, in the order of the table, and how."""
        numeric, categorical = self._given
        kinds = dict.fromkeys(numeric or (), "number") | dict.fromkeys(categorical or (), "category")
        if numeric is None or categorical is None:
            for name, cells in found.items():
                plain = all(_is_gap(c) or (isinstance(c, (int, float)) and not isinstance(c, bool)) for c in cells)
                kind = "number" if plain else "category"
                if name not in kinds and name not in self._exclude and self._given[kind == "category"] is None:
                    kinds[name] = kind
        for name in kinds:
            self._column(found, name)
        return {name: kinds[name] for name in found if name in kinds}

    def _has_gaps(self, cells: list[Any]) -> bool:
        return self.missing_indicator and any(map(_is_gap, cells))

    def _learn_number(self, name: str, cells: list[Any]) -> tuple[float, float, float]:
        values = [v for v in (_number(name, i, c) for i, c in enumerate(cells)) if not math.isnan(v)]
        if not values:
            raise ValueError(f"TabularEncoder: column {name!r} has no values")
        known = lamina.tensor(values, dtype=lamina.float64)
        if self.impute == "mean":
            fill = float(known.mean().item())
        else:
            fill = float(known.quantile(0.5).item()) if self.impute == "median" else float(_most_frequent(values))
        full = lamina.tensor([*values, *[fill] * (len(cells) - len(values))], dtype=lamina.float64)
        if min(values) == max(values):
            return fill, values[0], 1.0  # a constant column is only shifted
        mean, std = float(full.mean().item()), float(full.std(0, correction=0).item())
        if not math.isfinite(std):
            raise ValueError(f"TabularEncoder: column {name!r} has values whose squares overflow")
        return fill, mean, std or 1.0

    def _learn_categories(self, name: str, cells: list[Any]) -> dict[str, Any]:
        words = [word for word in map(_word, cells) if word is not None]
        if not words:
            raise ValueError(f"TabularEncoder: column {name!r} has no values")
        counts: dict[str, int] = {}
        for word in words:
            counts[word] = counts.get(word, 0) + 1
        frequent = sorted((w for w in counts if counts[w] >= self.min_count), key=lambda w: (-counts[w], w))
        kept = sorted(frequent[: self.max_categories])
        fill, gaps = _most_frequent(words), self._has_gaps(cells)
        return {"name": name, "kind": "category", "gaps": gaps, "categories": kept, "fill": fill}

    # -- encoding -----------------------------------------------------------------------------------------------------
    @property
    def columns(self) -> list[dict[str, Any]]:
        """What was learned of each column: its name, its kind, whether it had gaps, and the categories."""
        data = self.schema.cpu().numpy().tobytes()
        if not data:
            raise RuntimeError("TabularEncoder: not fitted; hint: encoder.fit(training rows)")
        if data != self._parsed[0]:
            self._parsed = (data, _read_schema(data))
        return self._parsed[1]

    @property
    def feature_names(self) -> list[str]:
        """The name of each feature."""
        out: list[str] = []
        for column in self.columns:
            name = column["name"]
            if column["kind"] == "number":
                out.append(name)
            else:
                out += [f"{name}={category}" for category in (*column["categories"], _OTHER)]
            out += [f"{name}={_MISSING}"] * column["gaps"]
        return out

    @property
    def features(self) -> int:
        """How many features a row has."""
        return len(self.feature_names)

    def forward(self, table: Any, names: Sequence[str] | None = None) -> Tensor:
        found, parts, place = table_columns(table, names), [], 0
        fill, mean, std = (b.to(lamina.float64).tolist() for b in (self.fill, self.mean, self.std))
        for column in self.columns:
            name = column["name"]
            cells = self._column(found, name)
            gaps = lamina.tensor([_is_gap(cell) for cell in cells], dtype=lamina.bool)
            if column["kind"] == "number":
                values = lamina.tensor([_number(name, i, c) for i, c in enumerate(cells)], dtype=lamina.float64)
                values = lamina.where(gaps, fill[place], values)
                parts.append(((values - mean[place]) / std[place]).to(lamina.float32).unsqueeze(1))
                place += 1
            else:
                slots = {category: i for i, category in enumerate(column["categories"])}
                words = [column["fill"] if word is None else word for word in map(_word, cells)]
                index = lamina.tensor([slots.get(word, len(slots)) for word in words], dtype=lamina.int64)
                parts.append((index.unsqueeze(1) == lamina.arange(len(slots) + 1)).to(lamina.float32))
            if column["gaps"]:
                parts.append(gaps.to(lamina.float32).unsqueeze(1))
        return lamina.cat(parts, 1).to(self.fill.device)

    def _column(self, found: dict[str, list[Any]], name: str) -> list[Any]:
        if name not in found:
            from difflib import get_close_matches

            near = get_close_matches(name, found, 1)
            hint = f"; the nearest is {near[0]!r}" if near else f"; there are {', '.join(list(found)[:20])}"
            raise ValueError(f"TabularEncoder: there is no column {name!r}{hint}")
        return found[name]

    # -- state --------------------------------------------------------------------------------------------------------
    def load_state_dict(
        self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False
    ) -> IncompatibleKeys:
        """As Module.load_state_dict; what was learned may have any size, and is checked first."""
        old = _adopt(self, state_dict, "")
        return _loaded(self, super().load_state_dict, (state_dict, strict, assign), old)

    def extra_repr(self) -> str:
        if not len(self.schema):
            return "not fitted"
        return f"{len(self.columns)} columns -> {self.features} features"


def _read_schema(data: bytes) -> list[dict[str, Any]]:
    """The plan of columns in a file, every part of it checked."""

    def texts(value: Any) -> bool:
        return isinstance(value, list) and all(isinstance(v, str) for v in value) and len(set(value)) == len(value)

    try:
        plan: Any = json.loads(data) if len(data) <= _MAX_SCHEMA else None
    except (ValueError, RecursionError):
        plan = None
    good = isinstance(plan, list) and bool(plan)
    for column in plan if good else ():
        good = good and isinstance(column, dict) and isinstance(column.get("name"), str)
        good = good and isinstance(column.get("gaps"), bool) and column.get("kind") in ("number", "category")
        if good and column["kind"] == "category":
            good = texts(column.get("categories")) and isinstance(column.get("fill"), str)
    if not good or not texts([column["name"] for column in plan]):
        raise lamina.FileError("TabularEncoder: the schema of the columns is damaged")
    return list(plan)


def _adopt(encoder: TabularEncoder, state: Mapping[str, Any], prefix: str) -> dict[str, Tensor]:
    """Gives the encoder buffers of the sizes in a state_dict, after checks; what it had before, to go back."""
    old = {name: getattr(encoder, name) for name in ("fill", "mean", "std", "schema")}
    new: dict[str, Any] = {name: state.get(prefix + name) for name in old}
    if not all(isinstance(value, lamina.Tensor) and value.dim() == 1 for value in new.values()):
        return old  # load says which are missing
    schema = new["schema"]
    if schema.dtype != lamina.uint8 or any(not new[name].is_floating_point() for name in ("fill", "mean", "std")):
        raise lamina.FileError("TabularEncoder: the state has buffers of another dtype")
    if len(schema):
        plan = _read_schema(bytes(schema.tolist()))
        count = sum(column["kind"] == "number" for column in plan)
        if any(len(new[name]) != count for name in ("fill", "mean", "std")):
            raise lamina.FileError(f"TabularEncoder: the state must have {count} numbers of each kind")
        if not all(bool(new[name].isfinite().all()) for name in ("fill", "mean")) or not bool((new["std"] > 0).all()):
            raise lamina.FileError("TabularEncoder: the state holds numbers that cannot be")
    for name, value in new.items():
        setattr(encoder, name, lamina.empty_like(value, dtype=old[name].dtype))
    return old


def _loaded(encoder: TabularEncoder, load: Any, args: tuple[Any, ...], old: dict[str, Tensor]) -> IncompatibleKeys:
    try:
        found: IncompatibleKeys = load(*args)
    except BaseException:
        for name, value in old.items():
            setattr(encoder, name, value)
        raise
    return found


class TabularModel(nn.Module):
    """An encoder and the network behind it as one model: a table of N rows, or features (N, F) -> the network's output.

    `lamina.save(model, path)` writes one safetensors file with weights, statistics and categories;
    `TabularModel.load(path, network)` reads it into a network of the same shape, without the training table. `save`
    writes the same file, with the names and categories as text in the file's metadata too, for other programs.

    >>> import lamina, tempfile, os
    >>> table = {"age": [20, 40, 60], "city": ["Oslo", "Lima", "Oslo"]}
    >>> encoder = lamina.tabular.TabularEncoder().fit(table)
    >>> model = lamina.tabular.TabularModel(encoder, lamina.nn.Linear(encoder.features, 2))
    >>> path = os.path.join(tempfile.mkdtemp(), "model.safetensors")
    >>> lamina.save(model, path)
    >>> again = lamina.tabular.TabularModel.load(path, lamina.nn.Linear(encoder.features, 2))
    >>> bool((again(table) == model(table)).all())
    True
    """

    def __init__(self, encoder: TabularEncoder, model: nn.Module) -> None:
        super().__init__()
        if not isinstance(encoder, TabularEncoder) or not isinstance(model, nn.Module):
            raise TypeError(
                f"TabularModel: expected a TabularEncoder and a Module, got {type(encoder).__name__} and "
                f"{type(model).__name__}"
            )
        self.encoder, self.model = encoder, model

    def forward(self, table: Any) -> Any:
        return self.model(table if isinstance(table, lamina.Tensor) else self.encoder(table))

    def _network(self, what: str) -> Any:
        if not hasattr(self.model, what):
            raise TypeError(
                f"TabularModel.{what}: the network is a {type(self.model).__name__}, not a lamina.models.Model"
            )
        return self.model

    def fit(self, table: Any, target: Any, **options: Any) -> Any:
        """Trains the network on the features of a table and the targets (N): `fit` of lamina.models.Model."""
        return self._network("fit").fit((self.encoder(table), target), **options)

    def evaluate(self, table: Any, target: Any, **options: Any) -> dict[str, float]:
        """Loss and metrics on a table and its targets (N)."""
        found: dict[str, float] = self._network("evaluate").evaluate((self.encoder(table), target), **options)
        return found

    def predict(self, table: Any, **options: Any) -> Tensor:
        """The network's prediction for each row of a table."""
        found: Tensor = self._network("predict").predict(self.encoder(table), **options)
        return found

    def load_state_dict(
        self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False
    ) -> IncompatibleKeys:
        """As Module.load_state_dict; the encoder takes over the columns of the state."""
        old = _adopt(self.encoder, state_dict, "encoder.")
        return _loaded(self.encoder, super().load_state_dict, (state_dict, strict, assign), old)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes the state_dict as safetensors; metadata "lamina.tabular" is the JSON of the columns."""
        save_file(self.state_dict(), path, {"lamina.tabular": json.dumps(self.encoder.columns)})

    @classmethod
    def load(cls, path: str | os.PathLike[str], model: nn.Module) -> TabularModel:
        """The model in a file, its weights in `model`. FileError for a damaged file."""
        state = load_state(path)
        name = os.fspath(path)
        if not isinstance(state, dict) or "encoder.schema" not in state:
            raise lamina.FileError(f"{name}: holds no TabularModel")
        found = cls(TabularEncoder(), model)
        found.load_state_dict(state)
        return found
