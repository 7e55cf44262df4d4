"""The public clients of the API, replayed by programs of our own; `proofs.public_clients` plays them."""
