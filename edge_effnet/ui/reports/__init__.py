"""What commands print of their results, and their documents: a module for each kind of result."""
