"""An autoencoder that knows only some digits notices the others: it cannot make them again.

Ordinary are the digits but fours here; these, which it has never seen, are the anomalies.

python examples/anomaly_detection.py
"""

import lamina
from lamina.models import AnomalyDetector, Autoencoder

lamina.manual_seed(0)
ODD = 4
(x, y), (x_test, y_test) = lamina.datasets.split(*lamina.datasets.digits())
normal, held = lamina.text.split(x[y != ODD], 0.15)

detector = AnomalyDetector(Autoencoder(shape=(1, 8, 8), hidden=(128, 64), latent=10))
detector.fit(normal, epochs=40, batch_size=64, lr=2e-3, scheduler="cosine")
detector.fit_threshold(held, quantile=0.95)  # one false alarm in twenty

found = detector.evaluate(x_test, y_test == ODD)
print(", ".join(f"{name} {value:.3f}" for name, value in found.items()))
print(f"ROC-AUC of the unseen digit {found['roc_auc']:.3f} (at least 0.90)")
assert found["roc_auc"] >= 0.90
