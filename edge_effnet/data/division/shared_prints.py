"""What images are recognized by, read on the workers of a cluster."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import chain
from pathlib import Path

from edge_effnet.cluster.tasks import MapShares
from edge_effnet.data.division.prints import Row, read_row, reading_rows
from edge_effnet.data.shares import FileShare, Origin, file_shares, find_share, origin_here


@contextmanager
def prints_shared_out(map_shares: MapShares) -> Iterator[None]:
    """Meanwhile ``prints_of`` reads each file once, on some worker."""
    known: dict[Path, Row] = {}

    def read(paths: Sequence[Path]) -> Iterator[Row]:
        lacking = [path for path in dict.fromkeys(paths) if path not in known]
        work = partial(_read_share, origin_here())
        found = chain.from_iterable(map_shares(work, file_shares(lacking)))
        for path in paths:
            if path not in known:  # the next of those that were lacking
                row = next(found)
                # What a worker may not read, this machine may.
                known[path] = row if row[2] else read_row(path)
            yield known[path]

    before = reading_rows.set(read)
    try:
        yield
    finally:
        reading_rows.reset(before)


def _read_share(origin: Origin, share: FileShare) -> list[Row]:
    find_share(share, origin)
    return [read_row(path) for path in share.paths]
