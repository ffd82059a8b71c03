"""From inventory facts to GLUE 2.0 entities: pure functions, one module per group of entities."""
