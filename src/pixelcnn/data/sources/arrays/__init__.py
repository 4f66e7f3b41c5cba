"""Arrays: `.npz` and `.npy` files, and arrays in memory."""
