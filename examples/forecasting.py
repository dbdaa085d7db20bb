"""A recurrent network forecasts the next three months of the sea's temperature, better than two simple rules.

The series is real: the eastern Pacific from 1950 to 2010, a yearly cycle that El Nino disturbs. One rule says that
things stay as they are, the other that next year is like this one.

python examples/forecasting.py
"""

import lamina
from lamina import timeseries
from lamina.models import Forecaster

HISTORY, HORIZON = 24, 3

lamina.manual_seed(0)
series = lamina.datasets.elnino()  # (732) months
month = lamina.arange(len(series)) * (2 * lamina.pi / 12)
table = lamina.stack([series, month.sin(), month.cos()], 1)  # what time of the year it is helps
train, held, test = timeseries.time_split(table, validation=60, test=120, history=HISTORY)
scaler = timeseries.Standardizer(3).fit(train)


def windows(part):
    return timeseries.windows(scaler(part), HISTORY, HORIZON, targets=[0])


model = Forecaster(features=3, targets=1, horizon=HORIZON, hidden=32, kind="gru")
model.fit(windows(train), validation=windows(held), epochs=60, lr=1e-3, early_stopping=12)

past, future = windows(test).tensors
past, future = (scaler.inverse(part[:, :, :1], columns=[0]) for part in (past, future))
forecast = scaler.inverse(model.predict(windows(test)), columns=[0])


def error(forecast):
    return (forecast - future).abs().mean().item()


naive, seasonal = timeseries.naive(past, HORIZON), timeseries.seasonal_naive(past, HORIZON, 12)
best = min(error(naive), error(seasonal))
print(f"mean absolute error: naive {error(naive):.2f} C, seasonal naive {error(seasonal):.2f} C")
print(f"forecast {error(forecast):.2f} C, {error(forecast) / best:.2f} of the better rule's (at most 0.75)")
assert error(forecast) <= 0.75 * best
