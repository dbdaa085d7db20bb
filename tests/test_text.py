"""lamina.text: tokenizers against slow references, round trips, files, windows, streams, sampling."""

from __future__ import annotations

import json
import math
import os
import time
from collections import Counter
from itertools import pairwise

import lamina
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lamina import text
from lamina.text.bpe import WORDS

WORDY = st.text(alphabet="ab cAB\n'sé1.", max_size=60)
ANY = st.text(st.characters(), max_size=40)  # lone surrogates too


# -- byte pairs -------------------------------------------------------------------------------------------------------
def slow_merges(content: bytes, count: int) -> list[tuple[int, int]]:
    """Counts all pairs anew for each merge."""
    words = Counter(tuple(w) for w in WORDS.findall(content))
    merges = []
    for new in range(256, 256 + count):
        counts = Counter()
        for word, times in words.items():
            for pair in pairwise(word):
                counts[pair] += times
        if not counts:
            break
        top = max(counts.values())
        if top < 2:
            break
        pair = min(p for p, n in counts.items() if n == top)
        merges.append(pair)
        fresh = Counter()
        for word, times in words.items():
            fresh[replaced(word, pair, new)] += times
        words = fresh
    return merges


def replaced(word: tuple, pair: tuple, new: int) -> tuple:
    out, i = [], 0
    while i < len(word):
        if word[i : i + 2] == pair:
            out.append(new)
            i += 2
        else:
            out.append(word[i])
            i += 1
    return tuple(out)


def slow_encode(content: bytes, merges: list[tuple[int, int]]) -> list[int]:
    """Applies all merges in order to each word."""
    out = []
    for word in WORDS.findall(content):
        ids = tuple(word)
        for i, pair in enumerate(merges):
            ids = replaced(ids, pair, 256 + i)
        out += ids
    return out


@settings(max_examples=150, deadline=None)
@given(WORDY, st.integers(0, 40))
def test_bpe_merges_as_the_slow_way(source, count):
    tokens = text.BPETokenizer.train(source, 256 + count)
    expected = slow_merges(source.encode(), count)
    assert tokens.merges == expected
    assert tokens.encode(source) == slow_encode(source.encode(), expected)


def test_bpe_of_repeated_letters():
    tokens = text.BPETokenizer.train("aaaaaaa aaaa aaa", 262)
    assert tokens.merges == slow_merges(b"aaaaaaa aaaa aaa", 6)


TRAINED = text.BPETokenizer.train(text.corpus()[:60_000], 600, special_tokens=["<end>", "<|x|>"])


@settings(max_examples=200, deadline=None)
@given(ANY)
def test_bpe_round_trip_of_any_text(source):
    assert TRAINED.decode(TRAINED.encode(source)) == source


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=60))
def test_bpe_round_trip_of_any_bytes(content):
    assert TRAINED.decode_bytes(TRAINED.encode(content)) == content
    assert slow_encode(content, TRAINED.merges) == TRAINED.encode(content)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from(["<end>", "<|x|>", "<en", "d>", "hello ", "é"])))
def test_bpe_special_tokens(parts):
    source = "".join(parts)
    ids = TRAINED.encode(source, special=True)
    assert TRAINED.decode(ids) == source
    assert ids.count(TRAINED.special_tokens["<end>"]) == source.count("<end>")
    plain = TRAINED.encode(source)
    assert TRAINED.decode(plain) == source and max(plain, default=0) < len(TRAINED) - 2


def test_bpe_is_deterministic_and_fast():
    source = text.corpus()[:1_000_000]
    begin = time.perf_counter()
    first = text.BPETokenizer.train(source, 1256)
    assert time.perf_counter() - begin < 15
    assert len(first.merges) == 1000
    assert text.BPETokenizer.train(source.encode(), 1256).merges == first.merges
    ids = first.encode(source)
    assert len(ids) < len(source) / 2 and first.decode(ids) == source
    assert first.characters(ids) == len(source)


def test_bpe_of_one_long_word_is_not_quadratic():
    source = "abcab" * 40_000
    begin = time.perf_counter()
    tokens = text.BPETokenizer.train(source, 300)
    assert tokens.decode(tokens.encode(source)) == source
    assert time.perf_counter() - begin < 30


# -- characters and words ---------------------------------------------------------------------------------------------
@settings(max_examples=100, deadline=None)
@given(ANY.filter(bool))
def test_characters_round_trip(source):
    tokens = text.CharTokenizer.train(source)
    assert tokens.decode(tokens.encode(source)) == source
    assert len(tokens) == len(set(source)) and tokens.characters(tokens.encode(source)) == len(source)


def test_characters_that_are_unknown():
    with pytest.raises(ValueError, match="'z' was not in the training text"):
        text.CharTokenizer.train("abc").encode("az")
    tokens = text.CharTokenizer.train("abc", unknown="?")
    assert tokens.decode(tokens.encode("abz")) == "ab?"
    with pytest.raises(ValueError, match="at least one"):
        text.CharTokenizer.train("")


def test_vocabulary():
    counts = {"b": 3, "a": 3, "c": 1, "<unk>": 9}
    v = text.Vocabulary(counts)
    assert v.tokens == ["<pad>", "<unk>", "<bos>", "<eos>", "a", "b", "c"]
    assert (v.pad, v.unk, v.bos, v.eos) == (0, 1, 2, 3)
    assert text.Vocabulary(counts, min_freq=2).tokens[4:] == ["a", "b"]
    assert text.Vocabulary(counts, max_size=5).tokens[4:] == ["a"]
    assert v.lookup(["c", "nothing"]) == [6, 1] and v.token(6) == "c" and "a" in v and len(v) == 7
    bare = text.Vocabulary(["x"], specials=())
    assert bare.tokens == ["x"] and bare.pad is None
    with pytest.raises(KeyError, match="unknown"):
        bare["y"]
    for wrong in ({"min_freq": 0}, {"max_size": 3}, {"specials": ["a", "a"]}):
        with pytest.raises(ValueError, match="Vocabulary"):
            text.Vocabulary([], **wrong)
    with pytest.raises(IndexError):
        v.token(7)


def test_words():
    tokens = text.WordTokenizer.train(["The cat sat.", "The dog!"])
    assert tokens.decode(tokens.encode("the CAT runs", bos=True, eos=True)) == "<bos> the cat <unk> <eos>"
    ids, lengths = tokens.batch(["the cat", "dog", "the dog sat . !"], length=4)
    assert ids.shape == (3, 4) and lengths.tolist() == [2, 1, 4]
    assert ids[1].tolist() == [tokens.vocabulary["dog"], 0, 0, 0]
    assert text.WordTokenizer.train("A a", lower=False).vocabulary.tokens[4:] == ["A", "a"]
    with pytest.raises(ValueError, match="bos"):
        text.WordTokenizer(text.Vocabulary(["x"], specials=())).encode("x", bos=True)


# -- files ------------------------------------------------------------------------------------------------------------
def makers():
    return [
        text.CharTokenizer("héllo\ud800\udc00\U0001f600", unknown="?"),
        TRAINED,
        text.BPETokenizer(),
        text.WordTokenizer.train("a b c a é", specials=["<pad>", "<unk>"], lower=False),
    ]


@pytest.mark.parametrize("tokens", makers(), ids=lambda t: type(t).__name__)
def test_save_and_load(tokens, tmp_path):
    path = tmp_path / "tokens.json"
    tokens.save(path)
    assert os.listdir(tmp_path) == ["tokens.json"]
    for home in (text.Tokenizer, type(tokens)):
        back = home.load(path)
        assert type(back) is type(tokens) and len(back) == len(tokens) and repr(back) == repr(tokens)
        assert back.encode("hello a b") == tokens.encode("hello a b")
        assert back._to_json() == tokens._to_json()
    other = text.WordTokenizer if not isinstance(tokens, text.WordTokenizer) else text.BPETokenizer
    with pytest.raises(lamina.FileError, match=f"expected a {other.__name__}"):
        other.load(path)


@pytest.mark.parametrize(
    "content",
    [
        "", "[]", "{}", "nonsense", '{"lamina.tokenizer": "bpe"}', '{"lamina.tokenizer": "x"}',
        '{"lamina.tokenizer": "bpe", "merges": [[1, 300]], "special_tokens": []}',
        '{"lamina.tokenizer": "bpe", "merges": [[1, 2], [1, 2]], "special_tokens": []}',
        '{"lamina.tokenizer": "bpe", "merges": [[1]], "special_tokens": []}',
        '{"lamina.tokenizer": "bpe", "merges": 3, "special_tokens": []}',
        '{"lamina.tokenizer": "char", "characters": [-1], "unknown": null}',
        '{"lamina.tokenizer": "word", "tokens": [1], "specials": [], "lower": true}',
        "[" * 5000,
    ],
)  # fmt: skip
def test_damaged_files(content, tmp_path):
    path = tmp_path / "x.json"
    path.write_text(content)
    with pytest.raises(lamina.FileError, match=r"x\.json"):
        text.Tokenizer.load(path)


def test_files_that_are_not_there(tmp_path):
    with pytest.raises(lamina.FileError, match="cannot be read"):
        text.Tokenizer.load(tmp_path / "none.json")
    with pytest.raises(lamina.FileError, match="cannot be written"):
        TRAINED.save(tmp_path / "no" / "such" / "folder.json")
    with pytest.raises(lamina.FileError, match="cannot be read"):
        text.corpus(tmp_path / "none.txt")
    (tmp_path / "binary").write_bytes(b"a\xff\xfe")
    with pytest.raises(lamina.FileError, match="byte 1 is not UTF-8"):
        text.corpus(tmp_path / "binary")


def test_corpus_and_split(tmp_path):
    whole = text.corpus()
    assert whole == text.corpus() and len(whole) > 1_000_000 and "import" in whole
    (tmp_path / "own.txt").write_bytes("é\r\nx".encode())
    assert text.corpus(tmp_path / "own.txt") == "é\r\nx"
    train, valid = text.split(lamina.arange(10), 0.3)
    assert train.tolist() == [0, 1, 2, 3, 4, 5, 6] and valid.tolist() == [7, 8, 9]
    for data, share in (("abc", 0.0), ("abc", 1), ("abc", 0.1), ("", 0.5)):
        with pytest.raises(ValueError, match="split"):
            text.split(data, share)


@pytest.mark.parametrize("ids", [[-1], [10**6], ["a"], [1.5], [None], lamina.tensor([[1]])])
def test_hostile_ids(ids):
    for tokens in makers():
        with pytest.raises((IndexError, TypeError)):
            tokens.decode(ids)


@pytest.mark.parametrize("source", [None, 3, [1], object()])
def test_hostile_text(source):
    for tokens in makers():
        with pytest.raises(TypeError):
            tokens.encode(source)
    with pytest.raises(TypeError):
        text.BPETokenizer.train(source, 300)
    with pytest.raises(ValueError, match="at least 257"):
        text.BPETokenizer.train("x", 256, special_tokens=["<a>"])
    with pytest.raises(ValueError, match="twice"):
        text.BPETokenizer([], ["<a>", "<a>"])
    with pytest.raises(TypeError, match="one string"):
        TRAINED.batch("abc")


# -- windows ----------------------------------------------------------------------------------------------------------
@settings(max_examples=100, deadline=None)
@given(st.integers(0, 40), st.integers(1, 12), st.one_of(st.none(), st.integers(1, 15)))
def test_windows(count, length, stride):
    if count <= length:
        with pytest.raises(ValueError, match="no window"):
            text.TextWindows(list(range(count)), length, stride)
        return
    windows = text.TextWindows(list(range(count)), length, stride)
    step = stride or length
    starts = [s for s in range(0, count, step) if s + length < count]
    assert [x.tolist() for x, _ in (windows[i] for i in range(len(windows)))] == [
        list(range(s, s + length)) for s in starts
    ]
    assert all((y == x + 1).all() for x, y in (windows[i] for i in range(len(windows))))
    assert windows[-1][0].tolist() == windows[len(windows) - 1][0].tolist()
    with pytest.raises(IndexError):
        windows[len(windows)]


def test_windows_of_wrong_ids():
    with pytest.raises(lamina.ShapeError):
        text.TextWindows([[1, 2, 3]], 1)
    with pytest.raises(lamina.DtypeError):
        text.TextWindows([1.0, 2.0, 3.0], 1)
    for wrong in ({"length": 0}, {"length": 1, "stride": 0}):
        with pytest.raises(ValueError, match="positive"):
            text.TextWindows([1, 2, 3], **wrong)


@settings(max_examples=60, deadline=None)
@given(
    st.text(alphabet="ab c\n 'é.\u2028\r", max_size=80),
    st.integers(1, 9),
    st.integers(1, 6),
    st.one_of(st.none(), st.integers(1, 8)),
    st.sampled_from(["char", "bpe", "word"]),
)
def test_stream_is_the_whole_file_however_it_is_read(tmp_path_factory, source, part, length, stride, kind):
    path = tmp_path_factory.mktemp("s") / "a.txt"
    path.write_bytes(source.encode())
    tokens = {
        "char": text.CharTokenizer("ab c\n 'é.\u2028\r"),
        "bpe": text.BPETokenizer.train("ab ab  ca\n\n a's é", 265),
        "word": text.WordTokenizer.train("ab ab c"),
    }[kind]
    ids = tokens.encode(source)
    streamed = list(text.TextStream(path, tokens, length, stride, part=part))
    expected = text.TextWindows(ids, length, stride) if len(ids) > length else []
    assert [(x.tolist(), y.tolist()) for x, y in streamed] == [
        (x.tolist(), y.tolist()) for x, y in (expected[i] for i in range(len(expected)))
    ]


def test_stream_mixes_by_seed(tmp_path):
    for name in "ab":
        (tmp_path / name).write_text("abcdefghij" * 9)
    tokens = text.CharTokenizer("abcdefghij")
    paths = [tmp_path / "a", tmp_path / "b"]

    def read(**options):
        return [x.tolist() for x, _ in text.TextStream(paths, tokens, 3, **options)]

    plain = read()
    assert len(plain) == 2 * ((90 - 4) // 3 + 1)
    mixed = read(buffer=8, seed=1)
    assert mixed != plain and sorted(mixed) == sorted(plain) and mixed == read(buffer=8, seed=1)
    assert mixed != read(buffer=8, seed=2)
    loader = lamina.utils.data.DataLoader(text.TextStream(paths, tokens, 3), batch_size=4, num_workers=2)
    assert sum(len(x) for x, _ in loader) == len(plain)


def test_stream_of_wrong_files(tmp_path):
    tokens = text.CharTokenizer("ab")
    with pytest.raises(lamina.FileError, match="no such file"):
        text.TextStream(tmp_path / "none", tokens, 2)
    with pytest.raises(lamina.FileError, match="no such file"):
        text.TextStream([], tokens, 2)
    (tmp_path / "x").write_bytes(b"ab\xff")
    with pytest.raises(lamina.FileError, match="not a text file"):
        list(text.TextStream(tmp_path / "x", tokens, 2))
    with pytest.raises(TypeError, match="cut"):
        text.TextStream(tmp_path / "x", object(), 2)
    with pytest.raises(ValueError, match="positive"):
        text.TextStream(tmp_path / "x", tokens, 2, buffer=0)


# -- sampling ---------------------------------------------------------------------------------------------------------
LOGITS = [math.log(p) for p in (0.1, 0.5, 0.05, 0.3, 0.05)]


def kept(**options):
    out = text.filter_logits(lamina.tensor(LOGITS), **options).tolist()
    return [i for i, v in enumerate(out) if v > -math.inf]


def test_top_k_and_top_p():
    assert kept() == [0, 1, 2, 3, 4]
    assert kept(top_k=1) == [1] and kept(top_k=3) == [0, 1, 3] and kept(top_k=9) == [0, 1, 2, 3, 4]
    assert kept(top_k=4) == [0, 1, 2, 3]  # of two equal ones the first
    assert kept(top_p=0.4) == [1] and kept(top_p=0.6) == [1, 3] and kept(top_p=0.85) == [0, 1, 3]
    assert kept(top_p=1e-9) == [1] and kept(top_p=1.0) == [0, 1, 2, 3, 4]
    assert kept(top_k=2, top_p=0.6) == [1]  # of the two that are left 1 has 0.625
    assert kept(temperature=0.1, top_p=0.9) == [1]
    hot = text.filter_logits(lamina.tensor(LOGITS), temperature=2.0)
    assert hot.tolist() == (lamina.tensor(LOGITS) / 2).tolist()
    rows = text.filter_logits(lamina.tensor([LOGITS, LOGITS[::-1]]), top_k=1)
    assert (rows > -math.inf).tolist() == [[i == 1 for i in range(5)], [i == 3 for i in range(5)]]


def test_samples_follow_the_distribution():
    logits = lamina.tensor([LOGITS]).expand(20_000, 5)
    generator = lamina.Generator().manual_seed(3)
    drawn = text.sample(logits, generator=generator)
    shares = lamina.bincount(drawn, minlength=5) / 20_000
    assert (shares - lamina.tensor(LOGITS).exp()).abs().max().item() < 0.02
    only = text.sample(logits, top_p=0.6, generator=generator)
    assert sorted(set(only.tolist())) == [1, 3]
    assert text.sample(logits[:2], temperature=0).tolist() == [1, 1]
    again = text.sample(logits, generator=lamina.Generator().manual_seed(3))
    assert again.tolist() == drawn.tolist()


@pytest.mark.parametrize(
    "wrong", [{"temperature": -1}, {"temperature": math.nan}, {"top_k": 0}, {"top_p": 0.0}, {"top_p": 1.5}]
)
def test_sampling_refuses(wrong):
    for call in (text.filter_logits, text.sample):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            call(lamina.zeros(1, 4), **wrong)


def test_sampling_refuses_logits():
    with pytest.raises(ValueError, match="NaN"):
        text.sample(lamina.tensor([[1.0, math.nan]]))
    with pytest.raises(lamina.ShapeError):
        text.sample(lamina.zeros(3))
    with pytest.raises(lamina.ShapeError):
        text.filter_logits(lamina.zeros(3, 0))
    with pytest.raises(lamina.DtypeError):
        text.filter_logits(lamina.zeros(3, dtype=lamina.int64))
    with pytest.raises(ValueError, match="argmax"):
        text.filter_logits(lamina.zeros(3), temperature=0)


def test_a_saved_tokenizer_is_plain_json(tmp_path):
    TRAINED.save(tmp_path / "t.json")
    content = json.loads((tmp_path / "t.json").read_text())
    assert content["lamina.tokenizer"] == "bpe" and content["special_tokens"] == ["<end>", "<|x|>"]
