"""The networks of a search.

grid      the coefficients that are tried
matching  networks of equal cost
latency   networks of equal int8 latency, measured
"""
