"""The declared schema: compared with the catalogue, and applied. See docs/schema.md."""
