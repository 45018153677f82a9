"""The commands ``bench``, ``regress`` and ``report``; imported only when called."""
