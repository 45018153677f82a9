"""The figures that the README states, rerun: ``python -m benchmarks.studies.readme_figures``."""
