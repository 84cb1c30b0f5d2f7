"""The LTI platform: registering tools, opening them, and the services they call back."""
