"""Helpers around training: `lamina.utils.data`."""

from . import data as data
