"""Checkpoints: one file that holds a whole training run, in the format of docs/checkpoint_format.md."""

from nn.checkpoint.file import Checkpoint, read_checkpoint, write_checkpoint

__all__ = ["Checkpoint", "read_checkpoint", "write_checkpoint"]
