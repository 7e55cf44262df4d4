"""What is asked for: a tune, its pack, its price, its request and body."""
