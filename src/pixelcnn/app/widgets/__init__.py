"""What the pages are made of: inputs, pictures and downloads."""
