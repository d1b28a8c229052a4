"""Runs of other people, read from their files: checkpoints, event files, configurations, evaluations."""
