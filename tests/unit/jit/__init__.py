"""Tests of how machine code is made and kept."""
