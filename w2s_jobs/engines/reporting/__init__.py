"""The report: reads its evidence from the store, draws its figures, writes one HTML page."""
