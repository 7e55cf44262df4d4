"""The account: packs, tunes, prompts, callbacks, and their storage."""
