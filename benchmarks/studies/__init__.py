"""Comparisons behind the project's own figures."""
