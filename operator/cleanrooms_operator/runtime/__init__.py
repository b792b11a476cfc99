"""One pass over one resource. It awaits its ports only: no loop, no clock, no chance."""
