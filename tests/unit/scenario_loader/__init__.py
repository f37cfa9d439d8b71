"""Tests of reading, merging and checking scenario files."""
