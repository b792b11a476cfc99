"""A strict emulator of AWS Clean Rooms and Clean Rooms ML, on a clock of its own."""
