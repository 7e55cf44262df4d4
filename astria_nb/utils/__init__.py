"""What every room leans on: redaction, messages, argument checks, Arrow tables, progress, threads."""
