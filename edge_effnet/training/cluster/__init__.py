"""One training run on several workers.

    members      who belongs to the group, and which one this process is (``TF_CONFIG``)
    shares       which rows of a global batch a worker computes
    rendezvous   the workers meet, before TensorFlow connects them
    group        what the workers of a group tell each other; alone, nothing
    agreement    what all of them must see alike: images, the run folder
    engine       the run on Ray: started from the command, followed, begun again after a kill
    ray_worker   what Ray runs on each worker

Every worker holds the whole network and makes the same steps. It reads and computes its rows of
each global batch; gradients, losses and the statistics of batch normalization are summed over all
workers, so that the result is that of one machine but for rounding. Only the chief, worker 0,
writes the run folder. The step itself is ``training.steps.step``, with one worker as with many.
"""
