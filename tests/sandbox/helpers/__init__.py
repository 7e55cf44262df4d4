"""Helpers of the sandbox's tests."""
