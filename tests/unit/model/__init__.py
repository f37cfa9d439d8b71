"""Tests of the words a user writes."""
