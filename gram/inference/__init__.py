"""Drawing trajectories: the chain's one loop, sampling noise, recording, watching, running again."""
