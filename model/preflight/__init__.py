"""Checks before anything is spent: what really enters the model, what the losses pull towards, whether it can learn."""
