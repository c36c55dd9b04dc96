"""The control side: manifest, plan, and whoever makes the plan's steps run. Light: no torch, no vllm."""
