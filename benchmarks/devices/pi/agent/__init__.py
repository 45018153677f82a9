"""What runs on the Pi before anything of ours is installed there: the standard library only.

    python3 agent.pyz COMMAND            one JSON object on stdin, JSON lines on stdout

``benchmarks.devices.pi.package`` packs this folder into one archive; its modules import each
other relatively, because they lie elsewhere in it. Everything lies in the folder of the archive
(``~/.cache/edge-effnet``): files by content hash, an environment for each version of the tool, a
folder for each measurement. A measurement runs detached: a lost link leaves it alone. Lines are
``{"say": …}``, ``{"progress": …}`` and last ``{"answer": …}`` or
``{"error": {"what": …, "found": …, "fix": …}}``.
"""
