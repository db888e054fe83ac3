"""Benchmarks: the sweep and the worklist by size, and the product over HTTP beside its ceiling."""
