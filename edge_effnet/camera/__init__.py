"""A model on a live feed: sources, the pipeline, the comparison with float, the views.

Threads and what passes between them, from left to right:

    capture ─► prepare ─► inference ─┬────────────────────► the caller's thread ─┬─► recorder
        newest wins                  └─► reference model ─┘                       ├─► viewers
                                                                                  └─► hooks, lines

Nothing to the right of inference can slow it but the caller's own thread, which does no more
for a frame than arithmetic on its scores. Nothing here imports TensorFlow.
"""
