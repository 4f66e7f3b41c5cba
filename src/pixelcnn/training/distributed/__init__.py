"""Training in several processes: their group, their devices, sharded weights."""
