"""Many runs: one run from end to end, and the studies made of them, a folder each."""
