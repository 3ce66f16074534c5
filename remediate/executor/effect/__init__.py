"""Whether what was written to a peer is in effect there (contract, *In effect*): the decision, and the looks that it rests on."""
