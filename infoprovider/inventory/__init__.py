"""What a VM manager says of itself, in words that belong to no manager and not to GLUE either."""
