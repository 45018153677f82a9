"""A result: versioned JSON, its tables, and two of them compared."""
