"""An emulated Raspberry Pi, and what the tool does with it over SSH."""
