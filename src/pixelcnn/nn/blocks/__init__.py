"""What the architectures are made of: gated layers, residual blocks and streams."""
