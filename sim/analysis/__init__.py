"""What it means: measures, estimates, theory and comparison."""
