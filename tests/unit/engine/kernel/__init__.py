"""Tests of the kernel's parts; the kernel as a whole is compared with the reference engine."""
