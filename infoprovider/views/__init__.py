"""What people see: tables and numbers, computed from what was rendered or from the store, never asked anew."""
