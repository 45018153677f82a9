"""Operators the quantizer does not know: rewritten, given int8 kernels, or left in float."""
