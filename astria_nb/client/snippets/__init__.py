"""A tune as cURL, Python, JavaScript and JSON."""
