"""Checks a user makes on the own machine: that this program computes there what it should.

``figures``      what a check is, and its verdict
``theory``       queues with a formula, at a run's four standard errors
``known``        published answers of the generator, and payments worked out by hand
``engines``      both engines on every scenario that comes with the program, audited
``corruptions``  right logs made wrong one way at a time, each of which the audit must find
``verification`` all of them, in order
"""
