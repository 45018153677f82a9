"""Results as one page: everything drawn by hand as SVG, nothing loaded from anywhere."""
