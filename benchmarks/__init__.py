"""The project beside its peers on the same work, in one run; results as ratios. Run ``python -m benchmarks``."""
