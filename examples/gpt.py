"""A GPT learns to write Python from the sources of Python's own standard library, in tokens that it makes itself.

python examples/gpt.py
"""

import lamina
from lamina import text
from lamina.models import GPT

lamina.manual_seed(0)
source = text.corpus()[:300_000]
pieces = text.BPETokenizer.train(source, 384)  # the most frequent byte pairs become tokens
train, held = text.split(lamina.tensor(pieces.encode(source)), 0.1)

model = GPT(vocab=len(pieces), context=64, width=64, layers=2, heads=4, positions="rotary", dropout=0.0)
model.fit(train, epochs=3, batch_size=16, lr=5e-3, scheduler="warmup_cosine", clip_norm=1.0)

print(pieces.decode(model.generate(pieces.encode("def "), 120, temperature=0.7, top_k=40, seed=0)))
bits = model.evaluate(held, tokenizer=pieces)["bits_per_character"]
print(f"held-out {bits:.2f} bits per character (at most 2.50)")
assert bits <= 2.50
