"""A Raspberry Pi over SSH: the connection, places on it, and its files.

What ``bench`` measures there (``benchmarks.devices.pi``), the photos that come from there
(``benchmarks.collected``) and the models that go there (``benchmarks.deploy``) use this one
connection: the user's own configuration, keys and known hosts.
"""
