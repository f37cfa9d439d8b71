"""One scenario over a grid or a sample of factors, resumable."""
