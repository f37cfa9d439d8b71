"""Tests of sim.study.stress."""
