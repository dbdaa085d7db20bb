"""A network reads telephone numbers from the tones of the keys, without being told when each key was pressed.

Connectionist temporal classification (Graves et al. 2006) sums over all ways in which the keys may lie in time.

python examples/ctc.py
"""

import itertools
import random

import lamina
import lamina.nn.functional as F
from lamina import audio, nn
from lamina.models import Model

LENGTH = 8000  # one second


def recordings(n, seed):
    """(waveforms (n, 8000), keys (n, 5) from 1 on and 0 behind the end, how many (n)), three to five keys each."""
    draw, sounds, keys = random.Random(seed), [], []
    for _ in range(n):
        keys.append([draw.randrange(10) for _ in range(draw.randint(3, 5))])
        parts = [audio.dtmf(str(k), 8000, draw.uniform(0.05, 0.11), draw.uniform(0.03, 0.08)) for k in keys[-1]]
        sounds.append(F.pad(lamina.cat(parts), (LENGTH, LENGTH))[LENGTH - draw.randrange(400) :][:LENGTH])
    noise = 0.2 * lamina.randn(n, LENGTH, generator=lamina.Generator().manual_seed(seed))
    labels = lamina.tensor([[k + 1 for k in row] + [0] * (5 - len(row)) for row in keys])
    return lamina.stack(sounds) + noise, labels, lamina.tensor([len(row) for row in keys])


class Listener(Model):
    """Waveforms (N, 8000) -> log probabilities (T, N, 11) of the ten keys and of a blank."""

    def __init__(self):
        super().__init__()
        self.spectrogram = audio.Spectrogram(n_fft=256, hop_length=200)
        self.norm = nn.BatchNorm1d(36)
        self.rnn = nn.GRU(36, 48, bidirectional=True, batch_first=True)
        self.head = nn.Linear(96, 11)

    def forward(self, x):
        x = self.spectrogram(x)[:, 20:56].clamp(min=1e-5).log()  # 625 to 1719 Hz: (N, 36, T)
        return self.head(self.rnn(self.norm(x).transpose(1, 2))[0]).log_softmax(2).transpose(0, 1)

    def training_loss(self, x, keys, count):
        out = self(x)
        return F.ctc_loss(out, keys, lamina.full((len(x),), len(out)), count)

    def prediction(self, x):
        return self(x).argmax(2).T  # the likeliest key or blank of each step: (N, T)


lamina.manual_seed(0)
model = Listener()
model.fit(recordings(600, seed=1), epochs=12, batch_size=16, lr=8e-3, scheduler="onecycle")
sounds, keys, count = recordings(200, seed=2)
heard = [[k for k, _ in itertools.groupby(row) if k] for row in model.predict(sounds).tolist()]  # repeats are one key
right = sum(h == k[:n] for h, k, n in zip(heard, keys.tolist(), count.tolist(), strict=True)) / len(heard)
print(f"numbers heard without any fault {right:.1%} (at least 90%)")
assert right >= 0.90
