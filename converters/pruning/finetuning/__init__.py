"""What slicing took away is learned back: solved projections, statistics, training."""
