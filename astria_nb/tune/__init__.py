"""The tune that is asked for: its fields and their rules, its pack and price, the request and its body."""
