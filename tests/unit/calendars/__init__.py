"""Tests of calendars and of counting in them."""
