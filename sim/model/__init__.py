"""Answer in which words the user speaks: model base, quantities, distributions, prices."""
