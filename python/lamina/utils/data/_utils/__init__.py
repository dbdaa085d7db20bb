"""How samples become batches: `collate`, where PyTorch has it."""

from . import collate as collate
