"""The rules of each request: fields in, plan out."""
