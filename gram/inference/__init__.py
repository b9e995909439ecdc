"""Inference: the chain (the one loop), sampling noise, recording, watching, running again."""
