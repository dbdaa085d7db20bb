"""A T5 learns to translate from pairs of sentences: words, word order and agreement, all from examples.

The toy language puts verbs last and adjectives behind their nouns, and articles and adjectives take the noun's ending.

python examples/translation.py
"""

import random

import lamina
from lamina import text
from lamina.models import T5

NOUNS = {"dog": "hundo", "cat": "kata", "house": "domo", "tree": "arba", "child": "infano", "moon": "luna"}
ADJECTIVES = {"big": "grand", "red": "rug", "old": "vjej", "small": "pet", "green": "verd"}
VERBS = {"sees": "vidas", "loves": "amas", "finds": "trovas", "paints": "pentras"}


def phrase(draw):
    noun, article = draw.choice(list(NOUNS)), draw.choice(["the", "a"])
    adjectives = draw.sample(list(ADJECTIVES), draw.randrange(3))
    ending = NOUNS[noun][-1]
    words = [{"the": "l", "a": "un"}[article] + ending, NOUNS[noun], *(ADJECTIVES[a] + ending for a in adjectives)]
    return " ".join([article, *adjectives, noun]), " ".join(words)


def sentence(draw):
    (subject, subject2), (thing, thing2) = phrase(draw), phrase(draw)
    verb = draw.choice(list(VERBS))
    return f"{subject} {verb} {thing}", f"{subject2} {thing2} {VERBS[verb]}"


draw = random.Random(0)
pairs = list(dict.fromkeys(sentence(draw) for _ in range(2400)))  # no pair twice
train, held = text.split(pairs, 0.1)
words = text.WordTokenizer.train([side for pair in train for side in pair])
pad, eos = words.vocabulary.pad, words.vocabulary.eos


def ids(sentences):
    rows = [lamina.tensor(words.encode(s, eos=True)) for s in sentences]
    return lamina.nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=pad)


lamina.manual_seed(0)
model = T5(vocab=len(words), width=64, layers=1, heads=4, head_width=16, hidden=128, dropout=0.0, pad=pad, end=eos)
model.fit(tuple(map(ids, zip(*train, strict=True))), epochs=12, lr=3e-3, scheduler="onecycle", clip_norm=1.0)

ends = [row.tolist() for row in model.generate(ids([source for source, _ in held]), max_length=16)]
found = [words.decode(row[: row.index(eos)] if eos in row else row) for row in ends]
right = sum(ours == target for ours, (_, target) in zip(found, held, strict=True)) / len(held)
print(f"{held[0][0]}  ->  {found[0]}")
print(f"held-out sentences translated without any fault {right:.1%} (at least 85%)")
assert right >= 0.85
