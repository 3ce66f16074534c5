"""Decision whether a write is in effect on a peer (contract, *In effect*), and the readings that it rests on."""
