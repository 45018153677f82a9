"""Ray, where one machine is too slow: which cluster is meant, and the connection to it.

    choice       what ``--cluster`` means
    connection   Ray, started here or reached at an address; what is wrong with it in one line

Needs Ray alone, so that what works without TensorFlow works on a cluster without it too.
"""
