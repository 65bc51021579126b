"""Speed of the report on made-up records."""
