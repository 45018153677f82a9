"""The figures that the README states, rerun: ``python -m benchmarks.readme_figures``."""
