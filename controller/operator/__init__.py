"""The controller as a process: watches, workers, leadership, health. What it does with an experiment: reconcile.py."""
