"""``edge-effnet create``: from photos to files for a board, by the steps that other commands take.

``network`` (which one, and the files it begins with), ``photos`` (what is wrong with them),
``fine_tuning`` (``train`` and ``convert``, compared with what was taught), ``result`` (the sentence
and the commands at the end), ``document`` (all of it, as JSON).
"""
