"""Which routes exist: the payment graph and the candidate routes of every corridor."""
