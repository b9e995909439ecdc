"""Notebooks checked, executed and published as pages that play; the blocks that notebooks print."""
