"""What every command prints and asks: options, tables, progress."""
