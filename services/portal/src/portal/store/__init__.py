"""The portal's own tables: sessions and sign-ins under way. No school data."""
