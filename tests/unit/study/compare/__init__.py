"""Tests of sim.study.compare."""
