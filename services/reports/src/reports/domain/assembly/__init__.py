"""From the facts of the services to the document of a form: pure."""
