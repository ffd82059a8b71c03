"""What was last known: facets of the inventory, and the document that was composed of them."""
