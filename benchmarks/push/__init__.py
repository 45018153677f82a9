"""Everything a Raspberry Pi needs for a model, from here: ``push``.

``gathering`` lists and checks what was named here, ``push`` takes it there: the agent of
``benchmarks.devices.pi`` says what is there already, installs edge-effnet where it is missing, and
gives each file its name once it has arrived whole.
"""
