"""Image files: listing them, reading headers, caching the index, decoding."""
