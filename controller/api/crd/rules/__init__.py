"""Rules in CEL for what a schema cannot say: one table an area, each rule beside the type that it is about."""
