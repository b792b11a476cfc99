"""What the two services do, as functions over a store: no network, no chance, no wall clock."""
