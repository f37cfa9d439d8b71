"""Tests of sim.study.sensitivity."""
