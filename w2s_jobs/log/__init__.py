"""The last part of what a step prints, kept in the store, where it outlives the pod."""
