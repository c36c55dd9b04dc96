"""PURE. Manifest to plan, plan and observation to decision."""
