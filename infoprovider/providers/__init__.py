"""One module per VM manager, each answering the facets of the inventory; they are run by `collection`."""
