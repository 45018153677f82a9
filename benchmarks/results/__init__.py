"""A result: versioned JSON, its schema, its tables, and two of them compared."""
