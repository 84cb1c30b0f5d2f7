"""LTI 1.3 (1EdTech LTI Core 1.3, LTI Advantage): Komu is the platform, learning tools are opened from a class."""
