"""Which channels go: groups of them, their importance, the widths that reach a target."""
