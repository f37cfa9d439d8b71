"""Tests of the rails and of the protocol they keep."""
