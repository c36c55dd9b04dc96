"""How an experiment stands: what the cluster's objects mean, and what the status and the events say of it. Pure."""
