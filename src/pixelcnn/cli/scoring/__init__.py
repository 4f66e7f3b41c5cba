"""The parts of `pixelcnn score` that --against and --shards choose."""
