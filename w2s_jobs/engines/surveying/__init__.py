"""Reads what a survey over capabilities is computed from, and shows what came out as one page."""
