"""What the `lamina` command does: one file per family of models, and what they share."""
