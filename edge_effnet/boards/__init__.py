"""Which network for which board: the boards, published latencies, estimates from them."""
