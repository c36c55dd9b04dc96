"""PURE. What a report says, computed from rows: comparison of points, label correctness, composition, cost, verdict."""
