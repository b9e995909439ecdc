"""Benchmarks behind `gram bench`: ratios within one run on one machine."""
