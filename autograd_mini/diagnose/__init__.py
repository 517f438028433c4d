"""A linter for training: ``diagnose(loss, parameters)`` names the mistakes that people really make."""

from autograd_mini.diagnose.diagnosis import diagnose
from autograd_mini.diagnose.findings import Diagnosis, Finding

__all__ = ["Diagnosis", "Finding", "diagnose"]
