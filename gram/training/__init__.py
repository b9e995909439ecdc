"""Training: the loop, its objective and losses, the KL controller, the optimizer, several processes."""
