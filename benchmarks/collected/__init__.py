"""``edge-effnet collect pull``: the photos that ``camera --collect`` keeps on a Pi, fetched here.

From the outside in: ``pull`` (connects, fetches, writes), ``plan`` (what is fetched, what is moved
here, what stays as it is), ``listing`` (what is there, on the Pi and here), ``record`` (what the
last pull saw), ``lines`` (``frames.jsonl`` of both).
"""
