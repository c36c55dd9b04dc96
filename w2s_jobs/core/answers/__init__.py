"""PURE. Answer domains: how a final answer is found in free text, written, and compared. Families compose them."""
