"""Runs as artifacts with cards; published weights as checkpoints of ours."""
