"""One field each: text, ids, URLs, choice, pairs, characteristics."""
