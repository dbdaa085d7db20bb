"""The time series that comes with lamina."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import lamina

from .readers import csv

if TYPE_CHECKING:
    from .._C import Tensor


def elnino() -> Tensor:
    """Monthly sea surface temperatures of the eastern Pacific, 1950 to 2010: float32 (732) in degrees Celsius.

    Means over 0 to 10 degrees south and 80 to 90 degrees west (region Nino 1+2), a yearly cycle disturbed by El Nino.

    Source: NOAA, National Weather Service, Climate Prediction Center, ERSST.V3B, http://www.cpc.ncep.noaa.gov/data/indices/;
    in the public domain.

    >>> import lamina
    >>> series = lamina.datasets.elnino()
    >>> series.shape, [round(t, 2) for t in series[:3].tolist()]
    ((732,), [23.11, 24.2, 25.37])
    """
    table, _ = csv(os.path.join(os.path.dirname(__file__), "data", "elnino.csv"), target=None)
    return lamina.flatten(table[:, 1:])
