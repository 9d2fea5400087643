"""Benchmarks; ``make help`` lists them."""
