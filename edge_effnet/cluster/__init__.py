"""Ray, where one machine is too slow: which cluster is meant, and the connection to it.

    choice       what ``--cluster`` means
    connection   Ray, started here or reached at an address; what is wrong with it in one line
    tasks        ``map`` over a list in shares, on the workers of a cluster
    versions     what is installed on two machines, compared

Needs Ray alone, so that what works without TensorFlow works on a cluster without it too.
"""
