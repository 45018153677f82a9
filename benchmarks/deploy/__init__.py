"""``edge-effnet deploy``: a model to a Raspberry Pi, in place of the one that is there.

From the outside in: ``deploy`` (what is fetched, compared, put in place, put back), ``evidence``
and ``evaluating`` (whether the new file is proven worse, without photos and by photos),
``placing`` (the copy, its check, and the rename that keeps the old file), ``names`` (of files that
were replaced).
"""
