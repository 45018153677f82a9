"""What a network is, as data: variants, explicit widths, scaling, and what each costs."""
