"""What kind of sign is it? A table of numbers, words and gaps about 12,000 characters, from Python's own Unicode data.

python examples/tabular.py
"""

import unicodedata

import lamina
from lamina.models import MLP
from lamina.tabular import TabularEncoder

KINDS = "LMNPSZC"  # letter, mark, number, punctuation, symbol, separator, control


def row(sign):
    words = unicodedata.name(sign).split()
    return {
        "first word": words[0],
        "last word": words[-1],
        "words": len(words),
        "direction": unicodedata.bidirectional(sign) or None,
        "width": unicodedata.east_asian_width(sign),
        "made of": unicodedata.decomposition(sign).split(" ")[0][:1] or None,  # few have a decomposition
        "value": unicodedata.numeric(sign, None),  # and few are numbers
        "kind": KINDS.index(unicodedata.category(sign)[0]),
    }


signs = [chr(i) for i in range(0x20, 0x3300) if unicodedata.name(chr(i), "")]
order = lamina.randperm(len(signs), generator=lamina.Generator().manual_seed(0)).tolist()
train, held = lamina.text.split([row(signs[i]) for i in order], 0.2)

encoder = TabularEncoder(exclude=["kind"], min_count=5).fit(train)
print(f"{encoder.features} features, the first: {', '.join(encoder.feature_names[:4])}")


def tensors(rows):
    return encoder(rows), lamina.tensor([r["kind"] for r in rows])


lamina.manual_seed(0)
model = MLP(inputs=encoder.features, hidden=(64,), classes=len(KINDS), dropout=0.2)
model.fit(tensors(train), epochs=8, batch_size=128, lr=3e-3, scheduler="cosine")

y = tensors(held)[1]
frequent = lamina.bincount(y).max().item() / len(y)
accuracy = model.evaluate(tensors(held))["accuracy"]
print(f"held-out accuracy {accuracy:.1%}, of always the most frequent kind {frequent:.1%} (at least 90%)")
assert accuracy >= 0.90 >= frequent + 0.15
