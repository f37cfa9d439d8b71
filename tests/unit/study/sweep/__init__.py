"""Tests of sim.study.sweep."""
