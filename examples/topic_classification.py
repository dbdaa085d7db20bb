"""A GRU tells what a snippet of Python is about from its words: numbers, mail, files or the language itself.

The texts are modules of Python's standard library; the last fifth of each is held out.

python examples/topic_classification.py
"""

import os

import lamina
from lamina import text
from lamina.models import RecurrentClassifier

TOPICS = {
    "numbers": "_pydecimal fractions statistics random",
    "mail": "mailbox smtplib poplib imaplib",
    "files": "tarfile shutil gzip zipapp",
    "language": "ast inspect tokenize dis",
}
WORDS = 40  # in a snippet


def snippets(source):
    words = source.split()
    return [" ".join(words[i : i + WORDS]) for i in range(0, len(words) - WORDS, WORDS)]


train, held = [], []  # (snippet, topic)
for topic, modules in enumerate(TOPICS.values()):
    for module in modules.split():
        parts = text.split(text.corpus(os.path.join(os.path.dirname(os.__file__), module + ".py")), 0.2)
        for rows, part in zip((train, held), parts, strict=True):
            rows += [(snippet, topic) for snippet in snippets(part)]

words = text.WordTokenizer.train([snippet for snippet, _ in train], min_freq=3, max_size=4000)


def tensors(rows):
    ids, lengths = words.batch([snippet for snippet, _ in rows], length=80)
    return ids, lengths, lamina.tensor([topic for _, topic in rows])


lamina.manual_seed(0)
model = RecurrentClassifier(
    vocab=len(words), inputs=32, hidden=48, classes=4, kind="gru", pool="max", dropout=0.3, bidirectional=False
)
model.fit(tensors(train), epochs=5, batch_size=16, lr=4e-3, scheduler="onecycle")

accuracy = model.evaluate(tensors(held))["accuracy"]
print(f"accuracy on {len(held)} held-out snippets {accuracy:.1%} (at least 75%)")
assert accuracy >= 0.75
