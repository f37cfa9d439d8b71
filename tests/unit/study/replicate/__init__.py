"""Tests of sim.study.replicate."""
