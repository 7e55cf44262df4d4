"""The request of a tune as cURL, Python, JavaScript and JSON."""
