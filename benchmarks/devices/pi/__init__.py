"""A Raspberry Pi, or any 32- or 64-bit Arm Linux, measured over SSH.

From the outside in: ``measure`` (what ``--device NAME@HOST`` calls), ``job`` (what is measured and
with which files), ``board`` (an open connection, by ``benchmarks.ssh``, and what it can do),
``package`` (this very version as a wheel, and the agent as one file); then, on the Pi, ``agent``
(the standard library only: files, environment, detached jobs) and ``worker`` (the measurement
itself, in that environment).
"""
