"""A puzzle seen from all sides: exponents along trajectories, planes of states."""
