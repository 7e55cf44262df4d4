"""What several tests of the sandbox use."""
