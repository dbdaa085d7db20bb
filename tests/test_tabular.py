"""Tables as tensors: NumPy as oracle, the state in the model's file, and hostile files."""

from __future__ import annotations

import json
import math
import struct
import time

import lamina
import numpy as np
import pytest
from harness import to_numpy
from hypothesis import given, settings
from hypothesis import strategies as st
from lamina import nn
from lamina.tabular import TabularEncoder, TabularModel, table_columns

TABLE = {
    "age": [20.0, None, 40.0, 60.0, math.nan],
    "city": ["Oslo", "Lima", None, "Oslo", "São Paulo"],
    "rooms": [1, 2, 2, 3, 2],
    "sold": [True, False, True, True, True],
}


def test_features():
    encoder = TabularEncoder().fit(TABLE)
    assert encoder.feature_names == [
        *[
            "age",
            "age=<missing>",
            "city=Lima",
            "city=Oslo",
            "city=São Paulo",
            "city=<other>",
            "city=<missing>",
            "rooms",
        ],
        *["sold=False", "sold=True", "sold=<other>"],
    ]
    out = to_numpy(encoder(TABLE))
    assert out.dtype == np.float32 and out.shape == (5, encoder.features)
    age = np.array([20, 40, 40, 60, 40.0])
    assert np.allclose(out[:, 0], (age - age.mean()) / age.std()) and out[:, 1].tolist() == [0, 1, 0, 0, 1]
    assert out[:, 2:7].tolist() == [
        *[[0, 1, 0, 0, 0], [1, 0, 0, 0, 0], [0, 1, 0, 0, 1], [0, 1, 0, 0, 0], [0, 0, 1, 0, 0]]
    ]
    assert np.allclose(out[:, 7].mean(), 0, atol=1e-6) and out[:, 9].tolist() == [1, 0, 1, 1, 1]


def test_options():
    table = {"x": [1, 1, 2, 6, None], "c": [*"aab", None, "d"]}
    for impute, fill in [("median", 1.5), ("mean", 2.5), ("most_frequent", 1.0)]:
        assert TabularEncoder(impute=impute).fit(table).fill.tolist() == [fill]
    rare = TabularEncoder(min_count=2, missing_indicator=False, exclude=["x"]).fit(table)
    assert rare.feature_names == ["c=a", "c=<other>"]
    assert rare(table).tolist() == [[1, 0], [1, 0], [0, 1], [1, 0], [0, 1]]
    assert TabularEncoder(max_categories=2, exclude=["x"]).fit(table).columns[0]["categories"] == ["a", "b"]
    words = TabularEncoder(categorical=["x"], numeric=[]).fit(table)
    assert words.feature_names == ["x=1", "x=2", "x=6", "x=<other>", "x=<missing>"]
    assert words({"x": [1.0, "6", 7, ""]}).argmax(1).tolist() == [0, 2, 3, 0]
    assert TabularEncoder().fit({"x": [0.0, 5e-324]})({"x": [0.0]}).tolist() == [[0.0]]
    assert words({"x": []}).shape == (0, 5)
    constant = TabularEncoder().fit({"x": [0.1] * 7})
    assert constant({"x": [0.1, 1.1]}).tolist() == [[0], [1]]
    assert TabularEncoder(numeric=["x"]).fit({"x": ["1", "2.5", ""], "y": ["a", "b", "c"]}).features == 6


def test_tables_of_every_kind(tmp_path):
    (tmp_path / "t.csv").write_text("age;city\n20;Oslo\n;Lima\n40;\n", encoding="utf-8")
    want = TabularEncoder().fit(tmp_path / "t.csv")
    assert want.feature_names == ["age", "age=<missing>", "city=Lima", "city=Oslo", "city=<other>", "city=<missing>"]
    rows = [{"age": 20, "city": "Oslo"}, {"city": "Lima"}, {"age": 40}]
    array = np.array([[20, "Oslo"], [None, "Lima"], [np.int64(40), None]], dtype=object)
    fields = np.array([(20, "Oslo"), (math.nan, "Lima"), (40, "")], dtype=[("age", "f8"), ("city", "U9")])
    columns = {"age": np.array([20, math.nan, 40]), "city": np.array(["Oslo", "Lima", None], dtype=object)}
    for table, names in [(rows, None), (array, ["age", "city"]), (fields, None), (columns, None)]:
        encoder = TabularEncoder().fit(table, names)
        assert encoder.feature_names == want.feature_names
        assert encoder(table, names).tolist() == want(tmp_path / "t.csv").tolist()
    assert want({"age": lamina.tensor([20.0]), "city": "Oslo"}).shape == (1, 6)
    assert list(table_columns(np.zeros((2, 3)))) == ["0", "1", "2"]


@given(
    st.lists(st.one_of(st.none(), st.integers(-1000, 1000), st.floats(-1e6, 1e6)), min_size=1, max_size=20),
    st.sampled_from(["median", "mean", "most_frequent"]),
)
@settings(max_examples=60, deadline=None)
def test_numbers_are_numpys(cells, impute):
    known = np.array([c for c in cells if c is not None], np.float64)
    if not len(known):
        with pytest.raises(ValueError, match="no values"):
            TabularEncoder(impute=impute).fit({"x": cells})
        return
    values, counts = np.unique(known, return_counts=True)
    fill = {"median": np.median(known), "mean": known.mean(), "most_frequent": values[counts.argmax()]}[impute]
    full = np.array([fill if c is None else c for c in cells], np.float64)
    out = to_numpy(TabularEncoder(impute=impute, missing_indicator=False).fit({"x": cells})({"x": cells}))[:, 0]
    spread = 1.0 if known.min() == known.max() else full.std()
    assert np.allclose(out, (full - full.mean()) / spread, rtol=1e-4, atol=1e-5)


@given(st.lists(st.text(max_size=5), min_size=1, max_size=12), st.integers(1, 3))
@settings(max_examples=15, deadline=None)
def test_categories_survive_the_file(tmp_path_factory, words, least):
    table = {"w\u00f6rter \U0001f600": words, "n": list(range(len(words)))}
    try:
        encoder = TabularEncoder(min_count=least).fit(table)
    except ValueError:
        assert not any(words)
        return
    path = tmp_path_factory.getbasetemp() / "words.safetensors"
    network = nn.Linear(encoder.features, 2)
    model = TabularModel(encoder, network)
    for write in (lambda: lamina.save(model, path), lambda: model.save(path)):
        write()
        again = TabularModel.load(path, nn.Linear(encoder.features, 2))
        assert again.encoder.columns == encoder.columns
        assert to_numpy(again(table)).tobytes() == to_numpy(model(table)).tobytes()


def test_models_are_one_file(tmp_path):
    encoder = TabularEncoder(exclude=["sold"]).fit(TABLE)
    model = TabularModel(encoder, nn.Sequential(nn.Linear(encoder.features, 4), nn.ReLU(), nn.Linear(4, 2)))
    model.save(tmp_path / "m")
    raw = (tmp_path / "m").read_bytes()
    header = json.loads(raw[8 : 8 + struct.unpack("<Q", raw[:8])[0]])
    assert json.loads(header["__metadata__"]["lamina.tabular"])[1]["categories"] == ["Lima", "Oslo", "São Paulo"]
    with pytest.raises(lamina.FileError, match="no TabularModel"):
        lamina.save(nn.Linear(2, 2), tmp_path / "n")
        TabularModel.load(tmp_path / "n", nn.Linear(2, 2))
    kept = model(TABLE)
    with pytest.raises(RuntimeError, match="Missing key"):
        TabularModel(TabularEncoder().fit({"a": [1, 2]}), nn.Linear(9, 9)).load_state_dict(lamina.load(tmp_path / "m"))
    other = TabularEncoder().fit({"a": ["x", "y"]})
    network = nn.Linear(other.features, 2)
    wrong = TabularModel(other, network)
    with pytest.raises(RuntimeError):
        wrong.load_state_dict(lamina.load(tmp_path / "m"))
    assert other.feature_names == ["a=x", "a=y", "a=<other>"] and wrong({"a": ["x"]}).shape == (1, 2)
    alone = TabularEncoder()
    alone.load_state_dict(encoder.state_dict())
    assert alone(TABLE).tolist() == encoder(TABLE).tolist()
    assert "schema" in alone.state_dict() and to_numpy(kept).tobytes() == to_numpy(model(encoder(TABLE))).tobytes()


DAMAGED = [
    b"\xff\xfe",
    b"null",
    b"[]",
    b"[" * 5000,
    b'[{"name": "a", "kind": "number"}]',
    b'[{"name": "a", "kind": "sum", "gaps": true}]',
    b'[{"name": 3, "kind": "number", "gaps": true}]',
    b'[{"name": "a", "kind": "category", "gaps": true, "categories": [1], "fill": "x"}]',
    b'[{"name": "a", "kind": "category", "gaps": true, "categories": ["x", "x"], "fill": "x"}]',
    b'[{"name": "a", "kind": "number", "gaps": true}, {"name": "a", "kind": "number", "gaps": true}]',
    b'[{"name": "a", "kind": "number", "gaps": true}, {"name": "b", "kind": "number", "gaps": true}]',
]


@pytest.mark.parametrize("schema", DAMAGED, ids=range(len(DAMAGED)))
def test_damaged_schema(schema):
    encoder = TabularEncoder().fit({"a": [1, 2]})
    state = dict(encoder.state_dict(), schema=lamina.tensor(list(schema), dtype=lamina.uint8))
    with pytest.raises(lamina.FileError, match="TabularEncoder"):
        encoder.load_state_dict(state)
    assert encoder({"a": [1.5]}).tolist() == [[0.0]]


@pytest.mark.parametrize(("name", "value"), [("std", 0.0), ("std", math.nan), ("mean", math.inf)])
def test_damaged_numbers(name, value):
    encoder = TabularEncoder().fit({"a": [1, 2]})
    with pytest.raises(lamina.FileError, match="cannot be"):
        encoder.load_state_dict(dict(encoder.state_dict(), **{name: lamina.tensor([value])}))


HOSTILE = {
    "empty": (b"", ValueError, "empty"),
    "binary": (b"\x89PNG\r\n\x1a\n\0\0\xff\xfe", lamina.FileError, "UTF-8"),
    "open quote": (b'a,b\n1,"two\n3,4\n', lamina.FileError, "line"),
    "text after a quote": (b'a,b\n1,"two"x\n', lamina.FileError, "line"),
    "huge cell": (b"a,b\n1," + b"x" * 200000 + b"\n", lamina.FileError, "field"),
    "short line": (b"a,b\n1,2\n3\n", ValueError, "line 3"),
    "long line": (b"a,b\n1,2,3\n", ValueError, "line 2"),
    "same names": (b"a,a\n1,2\n", ValueError, "two columns"),
    "no name": (b"a,\n1,2\n", ValueError, "no name"),
    "damaged gzip": (b"\x1f\x8b\x08\0\0\0", lamina.FileError, "gzip"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_csv(tmp_path, name):
    content, error, word = HOSTILE[name]
    (tmp_path / "t.csv").write_bytes(content)
    start = time.perf_counter()
    with pytest.raises(error, match=word) as caught:
        lamina.datasets.columns(tmp_path / "t.csv")
    assert "t.csv" in str(caught.value) and time.perf_counter() - start < 2
    with pytest.raises(lamina.FileError, match="read"):
        lamina.datasets.columns(tmp_path / "none.csv")


@given(st.binary(max_size=60))
@settings(max_examples=150, deadline=None)
def test_any_bytes_as_csv(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "any.csv"
    path.write_bytes(content)
    try:
        found = lamina.datasets.columns(path)
    except (lamina.FileError, ValueError):
        return
    assert len({len(cells) for cells in found.values()}) == 1


@pytest.mark.parametrize(
    "mark", ["NULL", "null", "None", "<NA>", "#N/A", "#NA", "n/a", "N/A", "NA", "NaN", "-nan", "nan", ""]
)
def test_marks_of_missing_cells(tmp_path, mark):
    (tmp_path / "t.csv").write_text(f"age,city\n31,Oslo\n{mark},{mark}\n40,Kyoto\n")
    found = lamina.datasets.columns(tmp_path / "t.csv")
    assert found["age"][::2] == [31.0, 40.0] and math.isnan(found["age"][1])
    assert found["city"] == ["Oslo", None, "Kyoto"]


def test_the_index_of_pandas_is_left_out(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text(",age,y\n0,31,1\n7,40,0\n")
    assert lamina.datasets.columns(path) == {"age": [31.0, 40.0], "y": [1.0, 0.0]}
    x, y = lamina.datasets.csv(path)
    assert x.tolist() == [[31.0], [40.0]] and y.tolist() == [1, 0]
    x, y = lamina.datasets.csv(path, target=0)
    assert x.tolist() == [[1.0], [0.0]] and y.tolist() == [31, 40]
    path.write_text('"","a b","y"\n"r 1",31,1\n"r 2",40,0\n')  # R's write.csv, with names of rows
    assert lamina.datasets.columns(path) == {"a b": [31.0, 40.0], "y": [1.0, 0.0]}
    assert lamina.datasets.csv(path, "y")[0].tolist() == [[31.0], [40.0]]
    for text in ("a,,b\n1,2,3\n", ",\n1,2\n", '""\n1\n'):
        path.write_text(text)
        with pytest.raises(ValueError, match="no name"):
            lamina.datasets.columns(path)


def test_quoted_cells(tmp_path):
    text = 'name,"size, m"\r\n"O""Hara",1e3\r\n\r\n"two\nlines",NA\r\n'
    (tmp_path / "t.csv").write_bytes(b"\xef\xbb\xbf" + text.encode())
    found = lamina.datasets.columns(tmp_path / "t.csv")
    assert found["name"] == ['O"Hara', "two\nlines"]
    assert found["size, m"][0] == 1000.0 and math.isnan(found["size, m"][1])
    (tmp_path / "u.csv").write_text("a\tb\n1\tx\n2\t?\n")
    assert lamina.datasets.columns(tmp_path / "u.csv", missing=("?",)) == {"a": [1.0, 2.0], "b": ["x", None]}


@pytest.mark.parametrize(
    ("make", "error", "word"),
    [
        (lambda: TabularEncoder(impute="zero"), ValueError, "impute"),
        (lambda: TabularEncoder(min_count=0), ValueError, "min_count"),
        (lambda: TabularEncoder("age"), ValueError, "lists"),
        (lambda: TabularEncoder(["a"], ["a"]), ValueError, "different"),
        (lambda: TabularEncoder()(TABLE), RuntimeError, "not fitted"),
        (lambda: TabularEncoder(["agee"]).fit(TABLE), ValueError, "nearest is 'age'"),
        (lambda: TabularEncoder(["city"], []).fit(TABLE), ValueError, "row 0.*Oslo"),
        (lambda: TabularEncoder().fit({"a": [1.0, math.inf]}), ValueError, "finite"),
        (lambda: TabularEncoder().fit({"a": [10**400]}), ValueError, "finite"),
        (lambda: TabularEncoder().fit({"a": [1e300, -1e300]}), ValueError, "overflow"),
        (lambda: TabularEncoder().fit({"a": []}), ValueError, "no rows"),
        (lambda: TabularEncoder(exclude=["a"]).fit({"a": [1]}), ValueError, "no columns"),
        (lambda: TabularEncoder().fit({"a": [1], "b": [1, 2]}), ValueError, "one length"),
        (lambda: TabularEncoder().fit(3), TypeError, "table"),
        (lambda: TabularEncoder().fit(TABLE)({"age": [1]}), ValueError, "city"),
        (lambda: TabularModel(nn.Linear(1, 1), nn.Linear(1, 1)), TypeError, "TabularEncoder"),
    ],
)
def test_wrong_arguments(make, error, word):
    with pytest.raises(error, match=word):
        make()


def test_a_table_is_learned_saved_and_read_again(tmp_path):
    rng = np.random.default_rng(0)
    size, colour = rng.normal(5, 2, 300), rng.choice(["red", "green", "blue"], 300)
    answer = ((size > 5) ^ (colour == "red")).astype(np.int64)
    size[rng.random(300) < 0.05] = math.nan
    train, test = ({"size": size[part], "colour": colour[part]} for part in (slice(200), slice(200, None)))
    encoder = TabularEncoder().fit(train)
    network = lambda: lamina.models.MLP(inputs=encoder.features, hidden=(32,), classes=2, dropout=0.0)
    model = TabularModel(encoder, network())
    model.fit(train, answer[:200], epochs=40, lr=1e-2, progress=False)
    assert model.evaluate(test, answer[200:])["accuracy"] > 0.85
    lamina.save(model, tmp_path / "m")
    again = TabularModel.load(tmp_path / "m", network())
    assert again.predict(test).tolist() == model.predict(test).tolist()
    with pytest.raises(TypeError, match="Linear"):
        TabularModel(encoder, nn.Linear(2, 2)).predict(test)
