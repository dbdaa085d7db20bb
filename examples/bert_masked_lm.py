"""A BERT that fills gaps in sentences learns grammar on the way: gender and number agree in sentences it never saw.

The sentences are Spanish; the ending of an adjective follows from its noun or, where that is hidden, from the article.

python examples/bert_masked_lm.py
"""

import itertools
import random

import lamina
from lamina import text
from lamina.models import BERTForMaskedLM

NOUNS = {"o": "perr gat libr vas caball", "a": "cas mes sill puert flech"}
ADJECTIVES = "roj blanc negr pequeñ viej alt"
ARTICLES = {("o", ""): "el", ("a", ""): "la", ("o", "s"): "los", ("a", "s"): "las"}


def sentences():
    for (gender, article), (a, b) in itertools.product(ARTICLES.items(), itertools.permutations(ADJECTIVES.split(), 2)):
        for noun in NOUNS[gender[0]].split():
            end = gender[0] + gender[1]
            yield f"{article} {noun}{end} {a}{end} {'son' if gender[1] else 'es'} {b}{end}"


rows = list(sentences())
random.Random(0).shuffle(rows)
train, held = text.split(rows, 0.2)
words = text.WordTokenizer.train(rows, specials=("<pad>", "<unk>", "<mask>"))

lamina.manual_seed(0)
model = BERTForMaskedLM(
    vocab=len(words), context=8, width=48, layers=2, heads=4, dropout=0.0, pad=0, mask=2, special=(0, 1, 2), masked=0.3
)
model.fit((words.batch(train)[0],), epochs=60, batch_size=32, lr=3e-3, scheduler="warmup_cosine")

ids, _ = words.batch(held)
hidden = ids.clone()
hidden[:, 0] = hidden[:, 2] = 2  # the article and the first adjective are masks now
filled = [words.decode(row).split() for row in model.generate(hidden)]


def ending(word):
    return word[len(word.rstrip("s")) - 1 :]  # o, a, os or as


right = sum(f[0] == s.split()[0] and ending(f[2]) == ending(s.split()[2]) for f, s in zip(filled, held, strict=True))
print(f"{words.decode(hidden[0])}  ->  {' '.join(filled[0])}")
print(f"held-out sentences with the right article and ending {right / len(held):.1%} (at least 95%)")
assert right / len(held) >= 0.95
