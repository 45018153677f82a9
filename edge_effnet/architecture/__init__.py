"""What a network is, as data: rows, explicit widths, scaling, and what each costs."""
