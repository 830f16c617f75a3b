"""What the parts of the page do."""
