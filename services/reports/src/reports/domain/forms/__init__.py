"""The documents behind the printed forms: one typed value per form, with a published JSON Schema."""
