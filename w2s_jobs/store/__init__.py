"""IO. Artifacts in a folder or in S3: atomic, checked, published once."""
