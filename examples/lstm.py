"""An LSTM reads and writes Python, character by character, from a source that every Python has.

Bits per character say how well it foresees text that it has not seen: 6.5 for someone who knows nothing but the alphabet,
and 4.5 with how frequent each character is.

python examples/lstm.py
"""

import lamina
from lamina import text
from lamina.models import RecurrentLM

lamina.manual_seed(0)
source = text.corpus()[:200_000]
letters = text.CharTokenizer.train(source)
train, held = text.split(lamina.tensor(letters.encode(source)), 0.1)

model = RecurrentLM(vocab=len(letters), width=64, hidden=128, context=64)
model.fit(train, epochs=2, batch_size=32, lr=1e-2, scheduler="onecycle", clip_norm=1.0)

print(letters.decode(model.generate(letters.encode("def "), 300, temperature=0.7, seed=0)))
bits = model.evaluate(held, tokenizer=letters)["bits_per_character"]
print(f"held-out {bits:.2f} bits per character (at most 2.30)")
assert bits <= 2.30
