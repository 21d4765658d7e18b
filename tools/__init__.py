"""What is run now and then, and what tests and benchmarks share."""
