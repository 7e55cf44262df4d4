"""The HTTP/1.1 server, and the ledger of what it received."""
