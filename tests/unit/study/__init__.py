"""Experiments: replications, comparisons, sweeps, stress, sensitivity, reproduction."""
