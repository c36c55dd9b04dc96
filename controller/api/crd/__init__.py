"""PURE. The CustomResourceDefinition, made from the types of the manifest and the status."""
