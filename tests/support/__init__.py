"""What several tests need: small scenarios, drivers, naive twins."""
