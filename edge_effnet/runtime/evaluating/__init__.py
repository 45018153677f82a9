"""Models asked about a data set: which images, how their pixels are made, and what is found."""
